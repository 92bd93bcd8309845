//! Every statement of the embedded store, in one list: a test prepares each of them.

use crate::store::{LetterChoice, LetterPage};

statements! {
    KEEP_DUE_ANSWER = "INSERT INTO due_answers (message, person, recipients, due_at, illustrative) VALUES (?1, ?2, ?3, ?4, \
        ?5) \
        ON CONFLICT DO NOTHING";
    DUE_ANSWERS = "SELECT message, person, recipients, due_at, illustrative FROM due_answers WHERE due_at <= ?1 \
        ORDER BY due_at, message LIMIT ?2";
    PUT_OFF_DUE = "UPDATE legs SET due_at = ?3 WHERE report = ?1 AND due_at <= ?2 RETURNING message";
    PUT_OFF_DUE_ANSWER = "UPDATE due_answers SET due_at = ?2 WHERE message = ?1";
    END_DUE_ANSWER = "DELETE FROM due_answers WHERE message = ?1";
    COUNT_MESSAGES = "SELECT count(*) + coalesce(sum(duplicates), 0) + (SELECT count(*) FROM receipts) AS received, \
        coalesce(sum(duplicates), 0) + count(*) FILTER (WHERE state = 'duplicate') AS duplicates, \
        count(*) FILTER (WHERE state = 'refused') AS refused, \
        count(*) FILTER (WHERE state = 'diverted') AS diverted, \
        count(*) FILTER (WHERE state = 'recorded') + (SELECT count(*) FROM receipts) AS recorded, \
        count(*) FILTER (WHERE state = 'journey') AS journeys, \
        count(*) FILTER (WHERE state = 'refused' AND restricted) AS restricted, \
        coalesce(sum(fan_out) FILTER (WHERE state = 'journey'), 0) AS fan_out FROM messages";
    COUNT_LEGS = "SELECT count(*) FILTER (WHERE state = 'published') AS published, \
        count(*) FILTER (WHERE state = 'held') AS held, \
        count(*) FILTER (WHERE state = 'refused') AS refused, \
        count(*) FILTER (WHERE state = 'superseded') AS superseded, \
        count(*) FILTER (WHERE state = 'withdrawn') AS withdrawn FROM legs";
    OLDEST = "SELECT (SELECT min(since) FROM (SELECT min(received_at) AS since FROM messages WHERE state = 'refused' \
        AND NOT restricted AND discarded_at IS NULL UNION ALL SELECT min(received_at) FROM legs JOIN messages \
        ON number = message WHERE legs.state = 'refused' AND discarded_at IS NULL UNION ALL SELECT min(refused_at) \
        FROM entries WHERE state = 'live' AND refused_at IS NOT NULL AND discarded_at IS NULL \
        UNION ALL SELECT min(receipts.received_at) FROM receipts JOIN entries ON entries.recipient = receipts.recipient \
        AND entries.position = receipts.position WHERE receipts.kind = 'rejected' AND settled_at IS NULL \
        AND entries.state = 'live')) AS dead_letter, \
        (SELECT min(since) FROM (SELECT min(due_at) AS since FROM legs WHERE due_at <= ?1 \
        UNION ALL SELECT min(due_at) FROM due_answers WHERE due_at <= ?1)) AS due";
    /// What waits in a feed is what comes after the last entry that was fetched: readers go on, and skip nothing.
    STANDING = "SELECT feeds.recipient AS recipient, head, count(position) AS waiting, min(published_at) AS oldest, \
        (SELECT count(*) FROM entries AS dead WHERE dead.recipient = feeds.recipient AND dead.state = 'live' \
        AND dead.refused_at IS NOT NULL AND dead.discarded_at IS NULL) AS refused FROM feeds \
        LEFT JOIN entries ON entries.recipient = feeds.recipient AND state = 'live' AND position > coalesce((SELECT position \
        FROM entries AS last WHERE last.recipient = feeds.recipient AND last.served_at IS NOT NULL ORDER BY position DESC \
        LIMIT 1), 0) GROUP BY feeds.recipient, head ORDER BY feeds.recipient";
    LAST_SERVED = "SELECT recipient, (SELECT served_at FROM entries WHERE entries.recipient = feeds.recipient \
        AND served_at IS NOT NULL ORDER BY position DESC LIMIT 1) AS served_at FROM feeds ORDER BY recipient";
    LETTERS = dead_letters!("", "");
    LETTERS_NEWEST = dead_letters!("", " DESC");
    LETTERS_OF_SENDER = dead_letters!(" AND login = $9", "");
    LETTERS_OF_SENDER_NEWEST = dead_letters!(" AND login = $9", " DESC");
    LETTERS_OF_CODE = dead_letters!(" AND code = $9", "");
    LETTERS_OF_CODE_NEWEST = dead_letters!(" AND code = $9", " DESC");
    LETTERS_OF_SENDER_CODE = dead_letters!(" AND login = $9 AND code = $10", "");
    LETTERS_OF_SENDER_CODE_NEWEST = dead_letters!(" AND login = $9 AND code = $10", " DESC");
    LETTERS_OF_CAUSE = dead_letters!(" AND login = $9 AND code = $10 AND contract = $11 AND place = $12", "");
    LETTERS_OF_CAUSE_NEWEST = dead_letters!(" AND login = $9 AND code = $10 AND contract = $11 AND place = $12", " DESC");
    LETTERS_OF_CORRELATION = dead_letters!(" AND correlation = $9 AND ($10 IS NULL OR login = $10) \
        AND ($11 IS NULL OR code = $11)", "");
    LETTERS_OF_CORRELATION_NEWEST = dead_letters!(" AND correlation = $9 AND ($10 IS NULL OR login = $10) \
        AND ($11 IS NULL OR code = $11)", " DESC");
    LETTER_GROUPS = letter_groups!("dead_letter_groups");
    UNMASKED_FIELDS = "SELECT place, until FROM unmasked_fields WHERE operator = ?1 AND message = ?2 AND until > ?3 \
        ORDER BY place";
    KEEP_UNMASKED_FIELD = "INSERT INTO unmasked_fields (operator, message, place, until) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT (operator, message, place) DO UPDATE SET until = excluded.until";
    DROP_UNMASKED_FIELDS = "DELETE FROM unmasked_fields WHERE operator = ?1 AND until <= ?2";
    RECORDED_CONSENTS = messages!("WHERE kind = 'consent' AND state = 'recorded' ORDER BY number DESC LIMIT ?1");
    PROTECTED = "SELECT count(*) AS protected FROM persons WHERE flagged_at IS NOT NULL";
    HELD = "SELECT message, recipient, login, message_id, code, received_at, due_at FROM legs \
        JOIN messages ON number = message WHERE legs.state = 'held' ORDER BY message, recipient";
    MAKE_FEED = "INSERT INTO feeds (recipient, head) VALUES (?1, 0) ON CONFLICT DO NOTHING";
    ENTRIES = "SELECT position, subject, method, state, served_at IS NOT NULL AS served, message, fingerprint FROM entries \
        WHERE report = ?1 AND recipient = ?2 ORDER BY position";
    FEEDS_OF = "SELECT DISTINCT recipient FROM entries WHERE report = ?1 ORDER BY recipient";
    REPLACE_ENTRY = "UPDATE entries SET state = 'replaced' WHERE recipient = ?1 AND subject = ?2 AND state = 'live'";
    RAISE_HEAD = "INSERT INTO feeds (recipient, head) VALUES (?1, 1) ON CONFLICT (recipient) DO UPDATE SET head = head + 1 \
        RETURNING head";
    INSERT_ENTRY = "INSERT INTO entries (recipient, position, message, report, person, subject, contract, syntax, method, \
        sealed, \
        fingerprint, published_at, until, illustrative, state) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 'live')";
    NEWEST_OF_SUBJECT = "SELECT contract, syntax, illustrative FROM entries WHERE recipient = ?1 AND subject = ?2 ORDER BY \
        position DESC LIMIT 1";
    KEEP_ENTRY = "UPDATE entries SET message = ?3, until = ?4 WHERE recipient = ?1 AND position = ?2";
    WITHDRAW_ENTRY = "UPDATE entries SET state = 'withdrawn' WHERE recipient = ?1 AND position = ?2";
    NOTE_WITHDRAWAL = withdrawal_again!("INSERT INTO withdrawals (at, recipient, position, subject, report, code, step, \
        delete_position, cause, lapsed_at, superseded_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    DELETE_SERVED = "UPDATE withdrawals SET step = 'delete-served', served_at = ?3 WHERE recipient = ?1 \
        AND delete_position = ?2 AND step = 'delete-published'";
    DELETE_ACKNOWLEDGED = "UPDATE withdrawals SET step = 'acknowledged', acknowledged_at = ?3 WHERE recipient = ?1 \
        AND delete_position = ?2 AND step = 'delete-served'";
    WITHDRAWALS = withdrawals!("(?1 IS NULL OR withdrawals.recipient = ?1) \
        AND (NOT ?2 OR step IN ('delete-published', 'delete-served')) ORDER BY at DESC, withdrawals.number DESC LIMIT ?3");
    UNACKNOWLEDGED = "SELECT recipient, count(*) FILTER (WHERE at < ?1) AS overdue, min(at) AS oldest FROM withdrawals \
        WHERE step IN ('delete-published', 'delete-served') GROUP BY recipient ORDER BY recipient";
    PAGE = feed_entries!("SELECT basis ->> 'terms' FROM legs WHERE legs.message = entries.message AND legs.recipient = \
        entries.recipient",
        "WHERE recipient = ?1 AND position > ?2 AND state = 'live' ORDER BY position LIMIT ?3");
    UNCONFIRMED = feed_entries!("SELECT basis ->> 'terms' FROM legs WHERE legs.message = entries.message AND legs.recipient = \
        entries.recipient",
        "WHERE recipient = ?1 AND state = 'live' AND confirmed_at IS NULL AND refused_at IS NULL \
        AND recipient <> 'arbetsformedlingen' ORDER BY position LIMIT ?2");
    MARK_SERVED = "UPDATE entries SET served_at = coalesce(served_at, ?3) WHERE recipient = ?1 AND position = ?2";
    COUNT_PAGE = "UPDATE feeds SET pages = pages + ?2 WHERE recipient = ?1 RETURNING pages";
    CONFIRM = "UPDATE entries SET confirmed_at = ?3, refused_at = NULL, refused_with = NULL WHERE recipient = ?1 \
        AND position = ?2";
    REFUSE_ENTRY = "UPDATE entries SET refused_at = ?3, refused_with = ?4 WHERE recipient = ?1 AND position = ?2 \
        AND state = 'live' AND confirmed_at IS NULL AND refused_at IS NULL";
    REFUSED_ENTRIES = "SELECT recipient, position, refused_with, 'relay.refused' AS code FROM entries WHERE message = ?1 \
        AND state = 'live' AND refused_at IS NOT NULL AND discarded_at IS NULL UNION ALL SELECT entries.recipient, \
        entries.position, receipts.code, 'recipient.rejected' FROM receipts JOIN entries ON entries.recipient = \
        receipts.recipient AND entries.position = receipts.position WHERE entries.message = ?1 AND entries.state = 'live' \
        AND receipts.kind = 'rejected' AND settled_at IS NULL ORDER BY 1, 2";
    RELEASE_ENTRY = "UPDATE entries SET refused_at = NULL, refused_with = NULL WHERE recipient = ?1 AND position = ?2 \
        AND discarded_at IS NULL";
    DISCARD_ENTRY = "UPDATE entries SET discarded_at = ?3 WHERE recipient = ?1 AND position = ?2 AND refused_at IS NOT NULL";
    RECIPIENTS = "SELECT recipient FROM feeds ORDER BY recipient";
    LEGS = "SELECT message, recipient, report, state, code, due_at, documents, basis FROM legs WHERE message = ?1 ORDER BY \
        recipient";
    PUT_LEG = "INSERT INTO legs (message, recipient, report, state, code, due_at, documents, basis) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (message, recipient) DO UPDATE SET \
        state = excluded.state, code = excluded.code, due_at = excluded.due_at, documents = excluded.documents, basis = \
        excluded.basis";
    LAST_LEG = "SELECT max(message) AS last FROM (SELECT message FROM legs WHERE message > ?1 ORDER BY message LIMIT ?2)";
    MAKE_DUE_UNLESS = "UPDATE legs SET due_at = ?3 WHERE message > ?1 AND message <= ?2 AND due_at > ?3 \
        AND state IN ('published', 'held') AND coalesce(basis ->> 'terms', '') NOT IN (SELECT value FROM json_each(?4))";
    LATEST_MESSAGES = messages!("WHERE number < ?1 ORDER BY number DESC LIMIT ?2");
    MAKE_DUE = "UPDATE legs SET due_at = ?2 WHERE report = ?1 AND state <> 'superseded'";
    DUE = "SELECT DISTINCT messages.person AS person, legs.report AS report FROM legs JOIN messages ON messages.number = \
        legs.message \
        WHERE legs.due_at <= ?1 ORDER BY legs.due_at LIMIT ?2";
    RECEIPTS = "SELECT number, fingerprint FROM messages WHERE login = ?1 AND message_id = ?2 ORDER BY number";
    COUNT_DUPLICATE = "UPDATE messages SET duplicates = duplicates + 1 WHERE number = ?1";
    INSERT_MESSAGE = "INSERT INTO messages (login, message_id, fingerprint, contract, syntax, message_time, received_at, \
        traceparent, correlation, kind, state, violations, restricted, person, report, revision, content, fan_out, sealed) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) RETURNING number";
    UPDATE_MESSAGE = "UPDATE messages SET kind = ?2, state = ?3, violations = ?4, restricted = ?5, person = ?6, report = ?7, \
        revision = ?8, content = ?9, fan_out = ?10, discarded_at = NULL WHERE number = ?1";
    DROP_LEGS = "DELETE FROM legs WHERE message = ?1";
    DIVERT = "UPDATE messages SET state = 'diverted' WHERE number = ?1";
    DISCARD = "UPDATE messages SET discarded_at = ?2 WHERE number = ?1";
    /// Whoever has sent anything, by steps along the index of senders and ids: no index is kept for explaining alone.
    MESSAGES_WITH_ID = messages!("WHERE message_id = ?1 AND login IN (WITH RECURSIVE senders (login) AS ( \
        SELECT min(login) FROM messages UNION ALL SELECT (SELECT min(login) FROM messages WHERE login > senders.login) \
        FROM senders WHERE senders.login IS NOT NULL) SELECT login FROM senders WHERE login IS NOT NULL) ORDER BY number");
    TOLD_ENTRIES = "SELECT recipient, position, subject, contract, method, state, message, published_at, until, served_at, \
        confirmed_at, refused_at FROM entries WHERE report = ?1 ORDER BY recipient, position";
    TOLD_RECEIPTS = "SELECT receipts.recipient, receipts.position, kind, code, stated_at, received_at FROM entries \
        JOIN receipts ON receipts.recipient = entries.recipient AND receipts.position = entries.position WHERE report = ?1 \
        ORDER BY receipts.recipient, receipts.position, received_at, kind";
    TOLD_WITHDRAWALS = withdrawals!("(withdrawals.recipient, withdrawals.position) IN (SELECT recipient, position FROM entries \
        WHERE report = ?1) ORDER BY withdrawals.recipient, withdrawals.position");
    MESSAGE = messages!("WHERE number = ?1");
    OF_PERSON = messages!("WHERE person = ?1 AND kind = ?2 ORDER BY number");
    REVISIONS = messages!("WHERE report = ?1 AND state = 'journey' ORDER BY revision, number");
    MAKE_PERSON = "INSERT INTO persons (person) VALUES (?1) ON CONFLICT DO NOTHING";
    IS_FLAGGED = "SELECT flagged_at IS NOT NULL FROM persons WHERE person = ?1";
    LIFT_FLAG = "UPDATE persons SET flagged_at = NULL WHERE person = ?1";
    SET_FLAG = "UPDATE persons SET flagged_at = coalesce(flagged_at, ?2) WHERE person = ?1";
    INSERT_AUDIT = "INSERT INTO audit (tx, ordinal, act, actor, message, recipient, position, code, reason, detail, basis, \
        content) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    KEEP_BASIS = "INSERT INTO bases (digest, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    AUDIT_HEAD = "SELECT number, hash FROM audit_head";
    INSERT_LINK = "INSERT INTO audit_links (number, tx, at, size, digest, marks, hash) VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6)";
    MOVE_HEAD = "UPDATE audit_head SET number = ?1, hash = ?2";
    AUDIT_LINKS = "SELECT number, tx, at, size, digest, marks, hash FROM audit_links WHERE number > ?1 AND number <= ?2 \
        ORDER BY number";
    AUDIT_ROWS = "SELECT number, ordinal AS place, act, actor, message, recipient, position, code, reason, detail, basis, \
        content FROM audit_links JOIN audit USING (tx) WHERE number > ?1 AND number <= ?2 ORDER BY number, ordinal";
    AUDIT_BASES = "SELECT DISTINCT bases.digest AS digest, text FROM audit_links JOIN audit USING (tx) \
        JOIN bases ON bases.digest = audit.basis WHERE number > ?1 AND number <= ?2";
    AUDIT_STRAYS = "SELECT count(*) FROM audit WHERE NOT EXISTS (SELECT 1 FROM audit_links WHERE audit_links.tx = audit.tx)";
    AUDITED = "SELECT links.at, act, actor, message, recipient, position, code, reason, detail, basis, content, \
        bases.text AS basis_text FROM audit JOIN audit_links AS links USING (tx) LEFT JOIN bases ON bases.digest = audit.basis \
        WHERE message = ?1 ORDER BY links.number, ordinal";
    SETTING = "SELECT value FROM meta WHERE key = ?1";
    KEEP_SETTING = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    BEGIN = "BEGIN IMMEDIATE";
    HAS_AFTER = "SELECT 1 FROM entries WHERE recipient = ?1 AND position > ?2 AND state = 'live' LIMIT 1";
    HAS_WORK = "SELECT EXISTS (SELECT 1 FROM legs WHERE due_at <= ?1) OR EXISTS (SELECT 1 FROM due_answers WHERE due_at <= \
        ?1) \
        OR EXISTS (SELECT 1 FROM feeds \
        WHERE recipient <> ?2 AND EXISTS (SELECT 1 FROM entries WHERE entries.recipient = feeds.recipient \
        AND entries.state = 'live' AND entries.confirmed_at IS NULL AND entries.refused_at IS NULL)) AS work";
    HAS_UNCONFIRMED = "SELECT EXISTS (SELECT 1 FROM entries WHERE recipient = ?1 AND state = 'live' AND confirmed_at IS NULL \
        AND refused_at IS NULL AND recipient <> 'arbetsformedlingen') AS waits";
    TAKE_LEASE = "INSERT INTO leases (recipient, owner, until) VALUES (?1, ?2, ?3) ON CONFLICT (recipient) DO UPDATE \
        SET owner = excluded.owner, until = excluded.until WHERE leases.owner = excluded.owner OR leases.until <= ?4 \
        RETURNING owner";
    VACUUM = "VACUUM";
    TRUNCATE_LOG = "PRAGMA wal_checkpoint(TRUNCATE)";
    SETTLE_REJECTION = "UPDATE receipts SET settled_at = ?3 WHERE recipient = ?1 AND position = ?2 AND kind = 'rejected'";
    SERVED_ENTRY = "SELECT position, subject, contract, method, served_at IS NOT NULL AS served, illustrative, message, report \
        FROM entries WHERE recipient = ?1 AND position = ?2 AND NOT (method = 'PUT' AND person IS NOT NULL AND length(sealed) = 0 \
        AND length(fingerprint) > 0)";
    SAID = "SELECT kind, code FROM receipts WHERE recipient = ?1 AND position = ?2";
    PUT_RECEIPT = "INSERT INTO receipts (recipient, position, kind, code, message, stated_at, received_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    OUTDATE_ENTRY = "UPDATE entries SET fingerprint = x'' WHERE recipient = ?1 AND position = ?2";
    PING = "SELECT 1";
    HIGHEST_NUMBER = "SELECT coalesce(max(number), 0) AS number FROM messages";
    MARKS = "SELECT recipient, head, pages FROM feeds ORDER BY recipient";
    BEGIN_EPOCH = "UPDATE meta SET value = ?1 WHERE key = 'epoch'";
    WHOLE_ENTRIES = "SELECT recipient, position, message, report, subject, contract, syntax, method, state, sealed, published_at, \
        served_at, confirmed_at FROM entries WHERE report = ?1 ORDER BY recipient, position";
    BLANK_MESSAGE = "UPDATE messages SET fingerprint = NULL, content = NULL, traceparent = NULL, sealed = x'', \
        discarded_at = CASE WHEN state = 'refused' THEN coalesce(discarded_at, ?2) ELSE discarded_at END WHERE number = ?1";
    ARCHIVE_MESSAGE = "UPDATE messages SET fingerprint = NULL, content = NULL, traceparent = NULL WHERE number = ?1";
    BLANK_ENTRY = "UPDATE entries SET sealed = x'', fingerprint = CASE WHEN ?3 THEN x'' ELSE fingerprint END, \
        state = CASE WHEN state = 'live' AND method = 'PUT' THEN 'expired' ELSE state END \
        WHERE recipient = ?1 AND position = ?2";
    KEPT_MESSAGES = concat!(
        "SELECT number, person, received_at FROM (SELECT number, person, received_at, ",
        kept_kind!(),
        " FROM messages WHERE number > ?1 AND received_at < ?2 AND length(sealed) > 0) WHERE kept_kind = ?3 \
         ORDER BY number LIMIT ?4"
    );
    /// What nobody has fetched yet and may still be shown stays, however old it is: it is what its recipient has still to be told,
    /// and what it has of an earlier version is taken back by nothing else.
    KEPT_ENTRIES = "SELECT recipient, position, person, published_at FROM entries WHERE (recipient, position) > (?1, ?2) \
        AND published_at < ?3 AND length(sealed) > 0 AND person IS NOT NULL \
        AND NOT (state = 'live' AND method = 'PUT' AND served_at IS NULL AND until > ?3) ORDER BY recipient, position LIMIT ?4";
    KEPT_BY_KIND = concat!(
        "SELECT kept_kind, count(*) AS kept, min(since) AS since FROM (SELECT ",
        kept_kind!(),
        ", received_at AS since FROM messages WHERE length(sealed) > 0 UNION ALL SELECT 'feed', published_at FROM entries \
         WHERE length(sealed) > 0 AND person IS NOT NULL UNION ALL SELECT 'receipts', received_at FROM receipts UNION ALL \
         SELECT 'audit', at FROM audit JOIN audit_links USING (tx) WHERE NOT EXISTS (",
        proofs!(),
        ") UNION ALL SELECT 'audit', at FROM audit_before_chain) GROUP BY kept_kind"
    );
    OLD_RECEIPTS = concat!(
        "SELECT count(*) AS receipts, min(received_at) AS oldest FROM receipts WHERE ",
        old_receipts!("?1", "length")
    );
    DROP_RECEIPTS = concat!(
        "DELETE FROM receipts WHERE (recipient, position, kind) IN (SELECT recipient, position, kind FROM receipts WHERE ",
        old_receipts!("?1", "length"),
        " LIMIT ?2)"
    );
    AUDIT_THROUGH = "SELECT coalesce((SELECT number - 1 FROM audit_links WHERE at >= ?1 ORDER BY number LIMIT 1), \
        (SELECT max(number) FROM audit_links), 0) AS through";
    OLD_AUDIT = concat!(
        "SELECT count(*) AS audit_rows, min(at) AS oldest, coalesce(min(number), 1) AS first FROM (SELECT number, at FROM audit \
         JOIN audit_links USING (tx) WHERE number <= ?1 AND NOT EXISTS (",
        proofs!(),
        ") UNION ALL SELECT NULL, at FROM audit_before_chain WHERE at < ?2)"
    );
    CUT_AUDIT = concat!(
        "DELETE FROM audit WHERE tx IN (SELECT tx FROM audit_links WHERE number >= ?1 AND number <= ?2) AND NOT EXISTS (",
        proofs!(),
        ")"
    );
    CUT_BEFORE_CHAIN = "DELETE FROM audit_before_chain WHERE at < ?1";
    HOLDS_REPORTS = "SELECT EXISTS (SELECT 1 FROM messages WHERE person = ?1 AND kind = 'report' AND length(sealed) > 0) AS holds";
    HOLDS_MESSAGES = "SELECT EXISTS (SELECT 1 FROM messages WHERE person = ?1 AND length(sealed) > 0) AS holds";
    HOLDS_DOCUMENTS = "SELECT EXISTS (SELECT 1 FROM messages JOIN entries ON entries.report = messages.report \
        WHERE messages.person = ?1 AND messages.kind = 'report' AND length(entries.sealed) > 0) AS holds";
    SERVED_BETWEEN = "SELECT recipient, person, message, contract, served_at FROM entries WHERE served_at >= ?1 \
        AND served_at < ?2 AND method = 'PUT' AND person IS NOT NULL AND (?3 IS NULL OR recipient = ?3)";
    KEEP_REVOCATION = "INSERT INTO kept_revocations (consent, person, revoked_at, categories) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT DO NOTHING";
    KEPT_REVOCATIONS = "SELECT consent, person, revoked_at, categories FROM kept_revocations WHERE person = ?1";

    ADD_ACCOUNT = "INSERT INTO accounts (name, role, scope, password, created_at, password_at, disabled_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    CHANGE_ACCOUNT = "UPDATE accounts SET role = ?2, scope = ?3, password = ?4, password_at = ?5, disabled_at = ?6 \
        WHERE name = ?1";
    ACCOUNT = "SELECT name, role, scope, password, created_at, password_at, disabled_at FROM accounts WHERE name = ?1";
    ACCOUNTS = "SELECT name, role, scope, password, created_at, password_at, disabled_at FROM accounts ORDER BY name";
    OPEN_SESSION = "INSERT INTO sessions (digest, account, created_at, seen_at) VALUES (?1, ?2, ?3, ?4)";
    SESSION = "SELECT digest, account, created_at, seen_at FROM sessions WHERE digest = ?1";
    TOUCH_SESSION = "UPDATE sessions SET seen_at = ?2 WHERE digest = ?1";
    END_SESSION = "DELETE FROM sessions WHERE digest = ?1";
    END_SESSIONS_OF = "DELETE FROM sessions WHERE account = ?1";
    END_SESSIONS = "DELETE FROM sessions";
    SWEEP_SESSIONS = "DELETE FROM sessions WHERE created_at <= ?1 OR seen_at <= ?2";
}

/// The statement for a page of dead letters.
pub(super) const fn letters(page: &LetterPage) -> &'static str {
    let [oldest_first, newest_first] = match &page.choice {
        LetterChoice::All => [LETTERS, LETTERS_NEWEST],
        LetterChoice::Sender(_) => [LETTERS_OF_SENDER, LETTERS_OF_SENDER_NEWEST],
        LetterChoice::Code(_) => [LETTERS_OF_CODE, LETTERS_OF_CODE_NEWEST],
        LetterChoice::SenderCode(..) => [LETTERS_OF_SENDER_CODE, LETTERS_OF_SENDER_CODE_NEWEST],
        LetterChoice::Cause(_) => [LETTERS_OF_CAUSE, LETTERS_OF_CAUSE_NEWEST],
        LetterChoice::Correlation(..) => [LETTERS_OF_CORRELATION, LETTERS_OF_CORRELATION_NEWEST],
    };
    if page.newest_first { newest_first } else { oldest_first }
}
