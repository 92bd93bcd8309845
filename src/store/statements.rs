//! How every adapter writes its statements down: named, and collected in one list. What both engines say alike stands here.

/// Names statements and collects them, so that none can be left out of the list.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* pub(super) const $name: &str = $text;)*

        /// Every statement of this adapter.
        pub const STATEMENTS: &[&str] = &[$($name),*];
    };
}

/// Whole rows of messages.
macro_rules! messages {
    ($rest:literal) => {
        concat!(
            "SELECT number, login, message_id, fingerprint, contract, syntax, message_time, received_at, traceparent, \
             correlation, kind, state, violations, restricted, discarded_at, person, report, revision, content, fan_out, \
             sealed FROM messages ",
            $rest
        )
    };
}

/// Entries of a feed with what serving them asks for.
macro_rules! feed_entries {
    ($terms:literal, $rest:literal) => {
        concat!(
            "SELECT position, subject, contract, syntax, method, sealed, published_at, until, illustrative, report, message, \
             served_at IS NOT NULL AS served, persons.flagged_at IS NOT NULL AS flagged, \
             (SELECT traceparent FROM messages WHERE number = entries.message) AS traceparent, (",
            $terms,
            ") AS terms \
             FROM entries LEFT JOIN persons ON persons.person = entries.person ",
            $rest
        )
    };
}

/// Rows of the ledger of withdrawals with the message that the entry was made of. Those of a diverted message are left out:
/// beside what `explain` says of it they would tell a protected person from one who has taken a waiver back.
macro_rules! withdrawals {
    ($where:literal) => {
        concat!(
            "SELECT withdrawals.recipient AS recipient, withdrawals.position AS position, delete_position, \
             withdrawals.subject AS subject, code, step, at, lapsed_at, withdrawals.served_at AS served_at, acknowledged_at, \
             superseded_at, messages.number AS number, login, message_id FROM withdrawals \
             LEFT JOIN entries ON entries.recipient = withdrawals.recipient AND entries.position = withdrawals.position \
             LEFT JOIN messages ON messages.number = entries.message \
             WHERE (messages.state IS NULL OR messages.state <> 'diverted') AND ",
            $where
        )
    };
}

/// What becomes of a row of the ledger that is there already: it takes the step and keeps the times of those before.
macro_rules! withdrawal_again {
    ($insert:literal) => {
        concat!(
            $insert,
            " ON CONFLICT (recipient, position) DO UPDATE SET step = excluded.step, \
             code = CASE WHEN excluded.step = 'delete-superseded' THEN withdrawals.code ELSE excluded.code END, \
             cause = CASE WHEN excluded.step = 'delete-superseded' THEN withdrawals.cause ELSE excluded.cause END, \
             at = CASE WHEN excluded.step = 'delete-superseded' THEN withdrawals.at ELSE excluded.at END, \
             delete_position = coalesce(excluded.delete_position, withdrawals.delete_position), \
             served_at = CASE WHEN excluded.step = 'delete-published' THEN NULL ELSE withdrawals.served_at END, \
             acknowledged_at = CASE WHEN excluded.step = 'delete-published' THEN NULL ELSE withdrawals.acknowledged_at END, \
             lapsed_at = coalesce(withdrawals.lapsed_at, excluded.lapsed_at), superseded_at = excluded.superseded_at"
        )
    };
}

/// What is kept for how long: the kind of a message (see `KeptKind`).
macro_rules! kept_kind {
    () => {
        "CASE WHEN person IS NULL THEN 'unreadable' WHEN state = 'recorded' THEN 'consents' \
         WHEN state = 'refused' THEN 'dead-letters' WHEN EXISTS (SELECT 1 FROM legs WHERE legs.message = messages.number \
         AND legs.state = 'held') AND NOT EXISTS (SELECT 1 FROM entries WHERE entries.report = messages.report) \
         THEN 'held' ELSE 'journal' END AS kept_kind"
    };
}

/// Transactions whose rows of the audit log stay: they prove what is gone, and why.
macro_rules! proofs {
    () => {
        "SELECT 1 FROM audit AS proof WHERE proof.tx = audit.tx AND proof.act IN ('retention', 'erasure', 'restore')"
    };
}

/// Receipts of which nothing can come any more: their document is gone, or they are about a `DELETE`.
macro_rules! old_receipts {
    ($before:literal, $length:literal) => {
        concat!(
            "received_at < ",
            $before,
            " AND EXISTS (SELECT 1 FROM entries WHERE entries.recipient = receipts.recipient AND entries.position = \
             receipts.position AND (method = 'DELETE' OR ",
            $length,
            "(sealed) = 0))"
        )
    };
}

/// A page of dead letters: what is asked for, and in which direction. Both engines number what is bound alike here.
macro_rules! dead_letters {
    ($and:literal, $direction:literal) => {
        concat!(
            "SELECT message, part, recipient, position, login, message_id, correlation, contract, code, place, said, received_at, \
             state FROM dead_letters WHERE state = $1 AND (received_at, message, part) > ($2, $3, $4) \
             AND (received_at, message, part) < ($5, $6, $7)",
            $and,
            " ORDER BY received_at",
            $direction,
            ", message",
            $direction,
            ", part",
            $direction,
            " LIMIT $8"
        )
    };
}

/// When the message of the oldest or the newest open letter of a group came.
macro_rules! letter_groups {
    ($from:literal) => {
        concat!(
            "SELECT login, code, contract, place, letters, (SELECT received_at FROM dead_letters AS one WHERE one.state = 'open' \
             AND one.login = groups.login AND one.code = groups.code AND one.contract = groups.contract \
             AND one.place = groups.place ORDER BY received_at LIMIT 1) AS first, (SELECT received_at FROM dead_letters AS one \
             WHERE one.state = 'open' AND one.login = groups.login AND one.code = groups.code \
             AND one.contract = groups.contract AND one.place = groups.place ORDER BY received_at DESC LIMIT 1) AS last FROM ",
            $from,
            " AS groups WHERE letters > 0 ORDER BY letters DESC, login, code, contract, place"
        )
    };
}
