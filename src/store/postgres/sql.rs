//! Every statement of the PostgreSQL store, in one list: a test prepares each of them.

use crate::store::{LetterChoice, LetterPage};

statements! {
    PING = "SELECT 1";
    VACUUM_MESSAGES = "VACUUM messages";
    VACUUM_ENTRIES = "VACUUM entries";
    VACUUM_RECEIPTS = "VACUUM receipts";
    VACUUM_AUDIT = "VACUUM audit";
    BEGIN = "BEGIN";
    COMMIT = "COMMIT";
    ROLLBACK = "ROLLBACK";
    NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    SETTING = "SELECT value FROM meta WHERE key = $1";
    KEEP_SETTING = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    HAS_AFTER = "SELECT EXISTS (SELECT 1 FROM entries WHERE recipient = $1 AND position > $2 AND state = 'live')";
    HAS_UNCONFIRMED = "SELECT EXISTS (SELECT 1 FROM entries WHERE recipient = $1 AND state = 'live' \
        AND confirmed_at IS NULL AND refused_at IS NULL AND recipient <> 'arbetsformedlingen')";
    /// By the database's own clock, which is one for all processes; a test brings another. `until` is compared with the
    /// time at which the row is this statement's: it may have waited for it.
    TAKE_LEASE = "INSERT INTO leases (recipient, owner, until) VALUES ($1, $2, \
        coalesce($4, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) + $3) ON CONFLICT (recipient) DO UPDATE \
        SET owner = excluded.owner, until = excluded.until WHERE leases.owner = excluded.owner \
        OR leases.until <= coalesce($4, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) RETURNING owner";
    HAS_WORK = "SELECT EXISTS (SELECT 1 FROM legs WHERE due_at <= $1) \
        OR EXISTS (SELECT 1 FROM due_answers WHERE due_at <= $1) OR EXISTS (SELECT 1 FROM entries \
        WHERE state = 'live' AND confirmed_at IS NULL AND refused_at IS NULL AND recipient <> 'arbetsformedlingen')";

    MAKE_PERSONS = "INSERT INTO persons (person) SELECT * FROM UNNEST($1::bytea[]) ON CONFLICT DO NOTHING";
    LOCK_PERSONS = "SELECT person, flagged_at IS NOT NULL AS flagged FROM persons WHERE person = ANY($1) \
        ORDER BY person FOR UPDATE";
    CLAIM_PERSONS = "SELECT person, flagged_at IS NOT NULL AS flagged FROM persons WHERE person = ANY($1) \
        ORDER BY person FOR UPDATE SKIP LOCKED";
    IS_FLAGGED = "SELECT flagged_at IS NOT NULL AS flagged FROM persons WHERE person = $1";
    LIFT_FLAG = "UPDATE persons SET flagged_at = NULL WHERE person = $1";
    SET_FLAG = "UPDATE persons SET flagged_at = coalesce(flagged_at, $2) WHERE person = $1";
    MAKE_DELIVERIES = "INSERT INTO deliveries (recipient) SELECT * FROM UNNEST($1::text[]) ON CONFLICT DO NOTHING";
    LOCK_DELIVERIES = "SELECT recipient FROM deliveries WHERE recipient = ANY($1) ORDER BY recipient FOR UPDATE";
    FEEDS_CONCERNED = "SELECT recipient FROM entries WHERE report = ANY($1) \
        UNION SELECT entries.recipient FROM messages JOIN entries ON entries.report = messages.report \
        WHERE messages.person = ANY($2) AND messages.kind = 'report' ORDER BY 1";

    NUMBERS = "SELECT nextval('message_numbers') FROM generate_series(1, $1)";
    RECEIPTS = "SELECT messages.login, messages.message_id, number, fingerprint \
        FROM UNNEST($1::text[], $2::uuid[]) AS wanted (login, message_id) \
        JOIN messages ON messages.login = wanted.login AND messages.message_id = wanted.message_id ORDER BY number";
    /// Whoever has sent anything, by steps along the index of senders and ids: no index is kept for explaining alone.
    MESSAGES_WITH_ID = messages!("WHERE message_id = $1 AND login IN (WITH RECURSIVE senders (login) AS ( \
        SELECT min(login) FROM messages UNION ALL SELECT (SELECT min(login) FROM messages WHERE login > senders.login) \
        FROM senders WHERE senders.login IS NOT NULL) SELECT login FROM senders WHERE login IS NOT NULL) ORDER BY number");
    TOLD_ENTRIES = "SELECT recipient, position, subject, contract, method, state, message, published_at, until, served_at, \
        confirmed_at, refused_at FROM entries WHERE report = $1 ORDER BY recipient, position";
    TOLD_RECEIPTS = "SELECT receipts.recipient, receipts.position, kind, code, stated_at, received_at FROM entries \
        JOIN receipts ON receipts.recipient = entries.recipient AND receipts.position = entries.position WHERE report = $1 \
        ORDER BY receipts.recipient, receipts.position, received_at, kind";
    TOLD_WITHDRAWALS = withdrawals!("(withdrawals.recipient, withdrawals.position) IN (SELECT recipient, position FROM entries \
        WHERE report = $1) ORDER BY withdrawals.recipient, withdrawals.position");
    MESSAGE = messages!("WHERE number = $1");
    CONSENTS = messages!("WHERE person = ANY($1) AND kind = 'consent' ORDER BY number");
    OF_PERSON = messages!("WHERE person = $1 AND kind = $2 ORDER BY number");
    REVISIONS = messages!("WHERE report = ANY($1) AND state = 'journey' ORDER BY number");
    LEGS = "SELECT message, recipient, report, state, code, due_at, documents, bases.text AS basis FROM legs \
        LEFT JOIN bases ON bases.digest = legs.basis WHERE message = ANY($1) ORDER BY message, recipient";
    ENTRIES = "SELECT recipient, position, report, subject, contract, syntax, method, state, served_at IS NOT NULL AS served, \
        message, fingerprint, illustrative FROM entries WHERE report = ANY($1) ORDER BY position";
    // What is due is few and found first, by its index: a join from the messages' side would look at all of them.
    DUE = "SELECT messages.person AS person, due.report AS report FROM (SELECT message, report, due_at FROM legs \
        WHERE due_at <= $1 ORDER BY due_at LIMIT $2) AS due JOIN messages ON messages.number = due.message \
        GROUP BY messages.person, due.report ORDER BY min(due.due_at)";
    DUE_OF = "SELECT messages.person AS person, legs.report AS report FROM legs JOIN messages ON messages.number = legs.message \
        WHERE legs.due_at <= $1 AND messages.person = ANY($3) GROUP BY messages.person, legs.report \
        ORDER BY min(legs.due_at) LIMIT $2";

    INSERT_MESSAGES = "INSERT INTO messages (number, login, message_id, fingerprint, contract, syntax, message_time, \
        received_at, traceparent, correlation, kind, state, violations, restricted, discarded_at, person, report, revision, \
        content, fan_out, sealed) SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::uuid[], $4::bytea[], $5::text[], \
        $6::text[], $7::bigint[], $8::bigint[], $9::text[], $10::uuid[], $11::text[], $12::text[], $13::text[], \
        $14::boolean[], $15::bigint[], $16::bytea[], $17::bytea[], $18::bigint[], $19::bytea[], $20::bigint[], \
        $21::bytea[]) ON CONFLICT DO NOTHING";
    COUNT_DUPLICATES = "UPDATE messages SET duplicates = duplicates + more FROM UNNEST($1::bigint[], $2::bigint[]) \
        AS again (number, more) WHERE messages.number = again.number";
    UPDATE_MESSAGE = "UPDATE messages SET kind = $2, state = $3, violations = $4, restricted = $5, person = $6, report = $7, \
        revision = $8, content = $9, fan_out = $10, discarded_at = NULL WHERE number = $1";
    DROP_LEGS = "DELETE FROM legs WHERE message = $1";
    DIVERT = "UPDATE messages SET state = 'diverted' WHERE number = $1";
    DISCARD = "UPDATE messages SET discarded_at = $2 WHERE number = $1";
    PUT_LEGS = "INSERT INTO legs (message, recipient, report, state, code, due_at, documents, basis) \
        SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], \
        $8::bytea[]) ON CONFLICT (message, recipient) DO UPDATE SET state = excluded.state, code = excluded.code, \
        due_at = excluded.due_at, documents = excluded.documents, basis = excluded.basis";
    HAS_OTHER_TERMS = "SELECT EXISTS (SELECT 1 FROM bases WHERE NOT (coalesce(terms, '') = ANY($1)))";
    LAST_LEG = "SELECT max(message) AS last FROM (SELECT message FROM legs WHERE message > $1 ORDER BY message LIMIT $2) AS next_legs";
    MAKE_DUE_UNLESS = "UPDATE legs SET due_at = $3 FROM bases WHERE bases.digest = legs.basis AND message > $1 \
        AND message <= $2 AND due_at > $3 AND state IN ('published', 'held') AND NOT (coalesce(bases.terms, '') = ANY($4))";
    LATEST_MESSAGES = messages!("WHERE number < $1 ORDER BY number DESC LIMIT $2");
    MAKE_DUE = "UPDATE legs SET due_at = $2 WHERE message IN (SELECT number FROM messages WHERE messages.report = $1) \
        AND state <> 'superseded'";

    REPLACE_ENTRIES = "UPDATE entries SET state = 'replaced' FROM UNNEST($1::text[], $2::bigint[]) AS old (recipient, position) \
        WHERE entries.recipient = old.recipient AND entries.position = old.position";
    RAISE_HEADS = "INSERT INTO feeds (recipient, head) SELECT * FROM UNNEST($1::text[], $2::bigint[]) ORDER BY 1 \
        ON CONFLICT (recipient) DO UPDATE SET head = feeds.head + excluded.head RETURNING recipient, head";
    INSERT_ENTRIES = "INSERT INTO entries (recipient, position, message, report, person, subject, contract, syntax, method, \
        sealed, fingerprint, until, illustrative, state, published_at) SELECT *, $15::bigint FROM UNNEST($1::text[], \
        $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[], $7::text[], $8::text[], $9::text[], $10::bytea[], \
        $11::bytea[], $12::bigint[], $13::boolean[], $14::text[])";
    KEEP_DUE_ANSWERS = "INSERT INTO due_answers (message, person, recipients, due_at, illustrative) \
        SELECT * FROM UNNEST($1::bigint[], $2::bytea[], $3::text[], $4::bigint[], $5::boolean[]) ON CONFLICT DO NOTHING";
    DUE_ANSWERS = "SELECT message, person, recipients, due_at, illustrative FROM due_answers WHERE due_at <= $1 \
        ORDER BY due_at, message LIMIT $2";
    DUE_ANSWERS_OF = "SELECT message, person, recipients, due_at, illustrative FROM due_answers WHERE due_at <= $1 \
        AND person = ANY($3) ORDER BY due_at, message LIMIT $2";
    PUT_OFF_DUE = "UPDATE legs SET due_at = $3 WHERE message IN (SELECT number FROM messages WHERE messages.report = $1) \
        AND due_at <= $2 RETURNING message";
    PUT_OFF_DUE_ANSWER = "UPDATE due_answers SET due_at = $2 WHERE message = $1";
    END_DUE_ANSWER = "DELETE FROM due_answers WHERE message = $1";
    KEEP_ENTRY = "UPDATE entries SET message = $3, until = $4 WHERE recipient = $1 AND position = $2";
    WITHDRAW_ENTRY = "UPDATE entries SET state = 'withdrawn' WHERE recipient = $1 AND position = $2";
    NOTE_WITHDRAWALS = withdrawal_again!("INSERT INTO withdrawals (recipient, position, subject, report, code, step, \
        delete_position, cause, lapsed_at, superseded_at, at) SELECT *, $11::bigint FROM UNNEST($1::text[], $2::bigint[], \
        $3::bytea[], $4::bytea[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])");
    DELETES_SERVED = "UPDATE withdrawals SET step = 'delete-served', served_at = $3 WHERE recipient = $1 \
        AND delete_position = ANY($2) AND step = 'delete-published'";
    DELETE_ACKNOWLEDGED = "UPDATE withdrawals SET step = 'acknowledged', acknowledged_at = $3 WHERE recipient = $1 \
        AND delete_position = $2 AND step = 'delete-served'";
    WITHDRAWALS = withdrawals!("($1::text IS NULL OR withdrawals.recipient = $1) \
        AND (NOT $2 OR step IN ('delete-published', 'delete-served')) ORDER BY at DESC, withdrawals.number DESC LIMIT $3");
    UNACKNOWLEDGED = "SELECT recipient, count(*) FILTER (WHERE at < $1) AS overdue, min(at) AS oldest FROM withdrawals \
        WHERE step IN ('delete-published', 'delete-served') GROUP BY recipient ORDER BY recipient";
    KEEP_BASES = "INSERT INTO bases (digest, text) SELECT * FROM UNNEST($1::bytea[], $2::text[]) ORDER BY 1 ON CONFLICT DO NOTHING";
    INSERT_AUDIT = "WITH drawn AS (SELECT nextval('audit_transactions') AS tx) INSERT INTO audit (tx, ordinal, act, actor, \
        message, recipient, position, code, reason, detail, basis, content) SELECT drawn.tx, rows.* FROM drawn, \
        UNNEST($1::int[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::text[], \
        $9::text[], $10::bytea[], $11::bytea[]) AS rows";
    /// The hash of a link as `audit::Link::hash_after` makes it, so that the head's lock is held for one statement.
    APPEND_LINK = "WITH head AS (UPDATE audit_head SET number = number + 1, hash = sha256($1::bytea || hash || \
        int8send(number + 1) || int8send(currval('audit_transactions')) || int8send($2::bigint) || int8send($3::bigint) \
        || $4::bytea || $5::bytea) RETURNING number, hash) INSERT INTO audit_links (number, tx, at, size, digest, marks, hash) \
        SELECT number, currval('audit_transactions'), $2, $3, $4, $5, hash FROM head";
    AUDIT_HEAD = "SELECT number, hash FROM audit_head";
    AUDIT_LINKS = "SELECT number, tx, at, size, digest, marks, hash FROM audit_links WHERE number > $1 AND number <= $2 \
        ORDER BY number";
    AUDIT_ROWS = "SELECT number, ordinal::bigint AS place, act, actor, message, recipient, position, code, reason, detail, basis, \
        content FROM audit_links JOIN audit USING (tx) WHERE number > $1 AND number <= $2 ORDER BY number, ordinal";
    AUDIT_BASES = "SELECT DISTINCT bases.digest AS digest, text FROM audit_links JOIN audit USING (tx) \
        JOIN bases ON bases.digest = audit.basis WHERE number > $1 AND number <= $2";
    AUDIT_STRAYS = "SELECT count(*) FROM audit WHERE NOT EXISTS (SELECT 1 FROM audit_links WHERE audit_links.tx = audit.tx)";
    AUDITED = "SELECT links.at, act, actor, message, recipient, position, code, reason, detail, basis, content, \
        bases.text AS basis_text FROM audit JOIN audit_links AS links USING (tx) LEFT JOIN bases ON bases.digest = audit.basis \
        WHERE message = $1 ORDER BY links.number, ordinal";
    PAGE = feed_entries!("SELECT bases.terms FROM legs JOIN bases ON bases.digest = legs.basis WHERE \
        legs.message = entries.message AND legs.recipient = entries.recipient",
        "WHERE recipient = $1 AND position > $2 AND state = 'live' ORDER BY position LIMIT $3");
    UNCONFIRMED = feed_entries!("SELECT bases.terms FROM legs JOIN bases ON bases.digest = legs.basis WHERE \
        legs.message = entries.message AND legs.recipient = entries.recipient",
        "WHERE recipient = $1 AND state = 'live' AND confirmed_at IS NULL \
        AND refused_at IS NULL AND recipient <> 'arbetsformedlingen' ORDER BY position LIMIT $2");
    MARK_SERVED = "UPDATE entries SET served_at = $3 WHERE recipient = $1 AND position = ANY($2) AND served_at IS NULL";
    PAGES = "SELECT coalesce((SELECT pages FROM deliveries WHERE recipient = $1), 0)";
    COUNT_PAGE = "INSERT INTO deliveries (recipient, pages) VALUES ($1, 1) ON CONFLICT (recipient) DO UPDATE \
        SET pages = deliveries.pages + 1 RETURNING pages";
    CONFIRM = "UPDATE entries SET confirmed_at = $3, refused_at = NULL, refused_with = NULL WHERE recipient = $1 AND position = $2";
    REFUSE_ENTRY = "UPDATE entries SET refused_at = $3, refused_with = $4 WHERE recipient = $1 AND position = $2 \
        AND state = 'live' AND confirmed_at IS NULL AND refused_at IS NULL";
    REFUSED_ENTRIES = "SELECT recipient, position, refused_with, 'relay.refused' AS code FROM entries WHERE message = $1 \
        AND state = 'live' AND refused_at IS NOT NULL AND discarded_at IS NULL UNION ALL SELECT entries.recipient, \
        entries.position, receipts.code, 'recipient.rejected' FROM receipts JOIN entries ON entries.recipient = \
        receipts.recipient AND entries.position = receipts.position WHERE entries.message = $1 AND entries.state = 'live' \
        AND receipts.kind = 'rejected' AND settled_at IS NULL ORDER BY 1, 2";
    RELEASE_ENTRY = "UPDATE entries SET refused_at = NULL, refused_with = NULL WHERE recipient = $1 AND position = $2 \
        AND discarded_at IS NULL";
    DISCARD_ENTRY = "UPDATE entries SET discarded_at = $3 WHERE recipient = $1 AND position = $2 AND refused_at IS NOT NULL";
    RECIPIENTS = "SELECT recipient FROM feeds ORDER BY recipient";

    SETTLE_REJECTION = "UPDATE receipts SET settled_at = $3 WHERE recipient = $1 AND position = $2 AND kind = 'rejected'";
    SERVED_ENTRIES = "SELECT position, subject, contract, method, served_at IS NOT NULL AS served, illustrative, message, report \
        FROM entries WHERE recipient = $1 AND position = ANY($2) AND NOT (method = 'PUT' AND person IS NOT NULL \
        AND octet_length(sealed) = 0 AND octet_length(fingerprint) > 0)";
    SAID = "SELECT position, kind, code FROM receipts WHERE recipient = $1 AND position = ANY($2)";
    PUT_RECEIPTS = "INSERT INTO receipts (recipient, position, kind, code, message, stated_at, received_at) \
        SELECT *, $7::bigint FROM UNNEST($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])";
    OUTDATE_ENTRY = "UPDATE entries SET fingerprint = ''::bytea WHERE recipient = $1 AND position = $2";
    HIGHEST_NUMBER = "SELECT coalesce(max(number), 0) FROM messages";
    MARKS = "SELECT recipient, coalesce(head, 0) AS head, coalesce(pages, 0) AS pages FROM feeds \
        FULL JOIN deliveries USING (recipient) ORDER BY recipient";
    BEGIN_EPOCH = "UPDATE meta SET value = $1 WHERE key = 'epoch'";
    WHOLE_ENTRIES = "SELECT recipient, position, message, report, subject, contract, syntax, method, state, sealed, published_at, \
        served_at, confirmed_at FROM entries WHERE report = ANY($1) ORDER BY recipient, position";
    BLANK_MESSAGES = "UPDATE messages SET fingerprint = NULL, content = NULL, traceparent = NULL, sealed = '', \
        discarded_at = CASE WHEN state = 'refused' THEN coalesce(discarded_at, $2) ELSE discarded_at END WHERE number = ANY($1)";
    ARCHIVE_MESSAGES = "UPDATE messages SET fingerprint = NULL, content = NULL, traceparent = NULL WHERE number = ANY($1)";
    BLANK_ENTRIES = "UPDATE entries SET sealed = '', fingerprint = CASE WHEN $3 THEN '' ELSE fingerprint END, \
        state = CASE WHEN state = 'live' AND method = 'PUT' THEN 'expired' ELSE state END \
        FROM UNNEST($1::text[], $2::bigint[]) AS gone (recipient, position) \
        WHERE entries.recipient = gone.recipient AND entries.position = gone.position";
    KEPT_MESSAGES = concat!(
        "SELECT number, person, received_at FROM (SELECT number, person, received_at, ",
        kept_kind!(),
        " FROM messages WHERE number > $1 AND received_at < $2 AND octet_length(sealed) > 0) AS kept WHERE kept_kind = $3 \
         ORDER BY number LIMIT $4"
    );
    /// What nobody has fetched yet and may still be shown stays, however old it is: it is what its recipient has still to be told,
    /// and what it has of an earlier version is taken back by nothing else.
    KEPT_ENTRIES = "SELECT recipient, position, person, published_at FROM entries WHERE (recipient, position) > ($1, $2) \
        AND published_at < $3 AND octet_length(sealed) > 0 AND person IS NOT NULL \
        AND NOT (state = 'live' AND method = 'PUT' AND served_at IS NULL AND until > $3) ORDER BY recipient, position LIMIT $4";
    KEPT_BY_KIND = concat!(
        "SELECT kept_kind, count(*) AS kept, min(since) AS since FROM (SELECT ",
        kept_kind!(),
        ", received_at AS since FROM messages WHERE octet_length(sealed) > 0 UNION ALL SELECT 'feed', published_at FROM entries \
         WHERE octet_length(sealed) > 0 AND person IS NOT NULL UNION ALL SELECT 'receipts', received_at FROM receipts \
         UNION ALL SELECT 'audit', at FROM audit JOIN audit_links USING (tx) WHERE NOT EXISTS (",
        proofs!(),
        ") UNION ALL SELECT 'audit', at FROM audit_before_chain) AS kept GROUP BY kept_kind"
    );
    OLD_RECEIPTS = concat!(
        "SELECT count(*) AS receipts, min(received_at) AS oldest FROM receipts WHERE ",
        old_receipts!("$1", "octet_length")
    );
    DROP_RECEIPTS = concat!(
        "DELETE FROM receipts WHERE (recipient, position, kind) IN (SELECT recipient, position, kind FROM receipts WHERE ",
        old_receipts!("$1", "octet_length"),
        " LIMIT $2)"
    );
    AUDIT_THROUGH = "SELECT coalesce((SELECT number - 1 FROM audit_links WHERE at >= $1 ORDER BY number LIMIT 1), \
        (SELECT max(number) FROM audit_links), 0) AS through";
    OLD_AUDIT = concat!(
        "SELECT count(*) AS audit_rows, min(at) AS oldest, coalesce(min(number), 1) AS first FROM (SELECT number, at FROM audit \
         JOIN audit_links USING (tx) WHERE number <= $1 AND NOT EXISTS (",
        proofs!(),
        ") UNION ALL SELECT NULL, at FROM audit_before_chain WHERE at < $2) AS old"
    );
    CUT_AUDIT = concat!(
        "DELETE FROM audit WHERE tx IN (SELECT tx FROM audit_links WHERE number >= $1 AND number <= $2) AND NOT EXISTS (",
        proofs!(),
        ")"
    );
    CUT_BEFORE_CHAIN = "DELETE FROM audit_before_chain WHERE at < $1";
    HOLDS_REPORTS = "SELECT EXISTS (SELECT 1 FROM messages WHERE person = $1 AND kind = 'report' AND octet_length(sealed) > 0)";
    HOLDS_MESSAGES = "SELECT EXISTS (SELECT 1 FROM messages WHERE person = $1 AND octet_length(sealed) > 0)";
    HOLDS_DOCUMENTS = "SELECT EXISTS (SELECT 1 FROM messages JOIN entries ON entries.report = messages.report \
        WHERE messages.person = $1 AND messages.kind = 'report' AND octet_length(entries.sealed) > 0)";
    SERVED_BETWEEN = "SELECT recipient, person, message, contract, served_at FROM entries WHERE served_at >= $1 \
        AND served_at < $2 AND method = 'PUT' AND person IS NOT NULL AND ($3::text IS NULL OR recipient = $3)";
    KEEP_REVOCATION = "INSERT INTO kept_revocations (consent, person, revoked_at, categories) VALUES ($1, $2, $3, $4) \
        ON CONFLICT DO NOTHING";
    KEPT_REVOCATIONS = "SELECT consent, person, revoked_at, categories FROM kept_revocations WHERE person = ANY($1) \
        ORDER BY person, consent, revoked_at";

    COUNT_MESSAGES = "SELECT (count(*) + coalesce(sum(duplicates), 0) + (SELECT count(*) FROM receipts))::bigint AS received, \
        (coalesce(sum(duplicates), 0) + count(*) FILTER (WHERE state = 'duplicate'))::bigint AS duplicates, \
        count(*) FILTER (WHERE state = 'refused') AS refused, \
        count(*) FILTER (WHERE state = 'diverted') AS diverted, \
        count(*) FILTER (WHERE state = 'recorded') + (SELECT count(*) FROM receipts) AS recorded, \
        count(*) FILTER (WHERE state = 'journey') AS journeys, \
        count(*) FILTER (WHERE state = 'refused' AND restricted) AS restricted, \
        coalesce(sum(fan_out) FILTER (WHERE state = 'journey'), 0)::bigint AS fan_out FROM messages";
    COUNT_LEGS = "SELECT count(*) FILTER (WHERE state = 'published') AS published, \
        count(*) FILTER (WHERE state = 'held') AS held, \
        count(*) FILTER (WHERE state = 'refused') AS refused, \
        count(*) FILTER (WHERE state = 'superseded') AS superseded, \
        count(*) FILTER (WHERE state = 'withdrawn') AS withdrawn FROM legs";
    OLDEST = "SELECT least((SELECT min(received_at) FROM messages WHERE state = 'refused' AND NOT restricted \
        AND discarded_at IS NULL), (SELECT min(received_at) FROM legs JOIN messages ON number = message \
        WHERE legs.state = 'refused' AND discarded_at IS NULL), \
        (SELECT min(refused_at) FROM entries WHERE state = 'live' AND refused_at IS NOT NULL AND discarded_at IS NULL), \
        (SELECT min(receipts.received_at) FROM receipts JOIN entries ON entries.recipient = receipts.recipient \
        AND entries.position = receipts.position WHERE receipts.kind = 'rejected' AND settled_at IS NULL \
        AND entries.state = 'live')) \
        AS dead_letter, \
        least((SELECT min(due_at) FROM legs WHERE due_at <= $1), \
        (SELECT min(due_at) FROM due_answers WHERE due_at <= $1)) AS due";
    /// What waits in a feed is what comes after the last entry that was fetched: readers go on, and skip nothing.
    STANDING = "SELECT feeds.recipient AS recipient, head, waiting.entries AS waiting, waiting.oldest AS oldest, \
        (SELECT count(*) FROM entries AS dead WHERE dead.recipient = feeds.recipient AND dead.state = 'live' \
        AND dead.refused_at IS NOT NULL AND dead.discarded_at IS NULL) AS refused FROM feeds CROSS JOIN LATERAL \
        (SELECT count(*) AS entries, min(published_at) AS oldest FROM entries WHERE entries.recipient = feeds.recipient \
        AND state = 'live' AND position > coalesce((SELECT position FROM entries AS last WHERE last.recipient = feeds.recipient \
        AND last.served_at IS NOT NULL ORDER BY position DESC LIMIT 1), 0)) AS waiting ORDER BY feeds.recipient";
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
    LETTERS_OF_CORRELATION = dead_letters!(" AND correlation = $9 AND ($10::text IS NULL OR login = $10) \
        AND ($11::text IS NULL OR code = $11)", "");
    LETTERS_OF_CORRELATION_NEWEST = dead_letters!(" AND correlation = $9 AND ($10::text IS NULL OR login = $10) \
        AND ($11::text IS NULL OR code = $11)", " DESC");
    LETTER_GROUPS = letter_groups!("(SELECT login, code, contract, place, sum(letters)::bigint AS letters FROM (SELECT login, code, \
        contract, place, letters FROM dead_letter_groups UNION ALL SELECT login, code, contract, place, change \
        FROM dead_letter_changes) AS counted GROUP BY login, code, contract, place)");
    /// What another look folds already is left to it.
    FOLD_LETTER_CHANGES = "WITH folded AS (DELETE FROM dead_letter_changes WHERE number IN (SELECT number \
        FROM dead_letter_changes ORDER BY number LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING login, code, contract, place, change) \
        INSERT INTO dead_letter_groups (login, code, contract, place, letters) SELECT login, code, contract, place, \
        sum(change)::bigint FROM folded GROUP BY login, code, contract, place ORDER BY login, code, contract, place \
        ON CONFLICT (login, code, contract, place) DO UPDATE SET letters = dead_letter_groups.letters + excluded.letters";
    DROP_EMPTY_GROUPS = "DELETE FROM dead_letter_groups WHERE letters = 0";
    UNMASKED_FIELDS = "SELECT place, until FROM unmasked_fields WHERE operator = $1 AND message = $2 AND until > $3 \
        ORDER BY place";
    KEEP_UNMASKED_FIELD = "INSERT INTO unmasked_fields (operator, message, place, until) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (operator, message, place) DO UPDATE SET until = excluded.until";
    DROP_UNMASKED_FIELDS = "DELETE FROM unmasked_fields WHERE operator = $1 AND until <= $2";
    RECORDED_CONSENTS = messages!("WHERE kind = 'consent' AND state = 'recorded' ORDER BY number DESC LIMIT $1");
    PROTECTED = "SELECT count(*) AS protected FROM persons WHERE flagged_at IS NOT NULL";
    HELD = "SELECT message, recipient, login, message_id, code, received_at, due_at FROM legs \
        JOIN messages ON number = message WHERE legs.state = 'held' ORDER BY message, recipient";

    ADD_ACCOUNT = "INSERT INTO accounts (name, role, scope, password, created_at, password_at, disabled_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    CHANGE_ACCOUNT = "UPDATE accounts SET role = $2, scope = $3, password = $4, password_at = $5, disabled_at = $6 \
        WHERE name = $1";
    ACCOUNT = "SELECT name, role, scope, password, created_at, password_at, disabled_at FROM accounts WHERE name = $1 FOR UPDATE";
    ACCOUNTS = "SELECT name, role, scope, password, created_at, password_at, disabled_at FROM accounts ORDER BY name COLLATE \"C\"";
    OPEN_SESSION = "INSERT INTO sessions (digest, account, created_at, seen_at) VALUES ($1, $2, $3, $4)";
    SESSION = "SELECT digest, account, created_at, seen_at FROM sessions WHERE digest = $1";
    TOUCH_SESSION = "UPDATE sessions SET seen_at = $2 WHERE digest = $1";
    END_SESSION = "DELETE FROM sessions WHERE digest = $1";
    END_SESSIONS_OF = "DELETE FROM sessions WHERE account = $1";
    END_SESSIONS = "DELETE FROM sessions";
    SWEEP_SESSIONS = "DELETE FROM sessions WHERE created_at <= $1 OR seen_at <= $2";
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
