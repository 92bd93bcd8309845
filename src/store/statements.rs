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
    ($rest:literal) => {
        concat!(
            "SELECT position, subject, contract, syntax, method, sealed, published_at, until, illustrative, report, message, \
             served_at IS NOT NULL AS served, persons.flagged_at IS NOT NULL AS flagged, \
             (SELECT traceparent FROM messages WHERE number = entries.message) AS traceparent \
             FROM entries LEFT JOIN persons ON persons.person = entries.person ",
            $rest
        )
    };
}
