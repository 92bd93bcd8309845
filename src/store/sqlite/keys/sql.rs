//! Every statement of the embedded key store, in one list: a test prepares each of them.

statements! {
    OF_HOLDERS = "SELECT data_keys.id, data_keys.holder, data_keys.class, wrapping, wrapped FROM json_each(?1) AS wanted \
        JOIN data_keys ON data_keys.holder = unhex(wanted.value ->> 0) AND data_keys.class = wanted.value ->> 1";
    OF_IDS = "SELECT data_keys.id, holder, class, wrapping, wrapped FROM json_each(?1) AS wanted \
        JOIN data_keys ON data_keys.id = unhex(wanted.value)";
    KEEP = "INSERT INTO data_keys (id, holder, class, wrapping, wrapped, made_at) SELECT unhex(new.value ->> 0), \
        unhex(new.value ->> 1), new.value ->> 2, ?2, unhex(new.value ->> 3), ?3 FROM json_each(?1) AS new WHERE true \
        ON CONFLICT DO NOTHING RETURNING id";
    WRAPPING = "SELECT id FROM wrapping";
    USE_WRAPPING = "INSERT INTO wrapping (one, id, at) VALUES (1, ?1, ?2) \
        ON CONFLICT (one) DO UPDATE SET id = excluded.id, at = excluded.at";
    WRAPPED_BY_OTHERS = "SELECT id, holder, class, wrapping, wrapped FROM data_keys WHERE wrapping < ?1 OR wrapping > ?1 \
        LIMIT ?2";
    REPLACE = "UPDATE data_keys SET wrapping = ?2, wrapped = ?3 WHERE id = ?1 AND wrapping = ?4";
    NOTE_REVOCATION = "INSERT INTO revocations (consent, person, revoked_at, categories) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT DO NOTHING";
    LIFT_FLAG = "DELETE FROM flags WHERE person = ?1 AND at <= ?2";
    NOTE_FLAG = "INSERT INTO flags (person, at) VALUES (?1, ?2) \
        ON CONFLICT (person) DO UPDATE SET at = max(at, excluded.at)";
    REVOCATIONS = "SELECT consent, person, revoked_at, categories FROM revocations ORDER BY person, consent, revoked_at";
    FLAGS = "SELECT person FROM flags ORDER BY person";
    DESTROY = "DELETE FROM data_keys WHERE holder = ?1 AND class = ?2";
    NOTE_ERASURE = "INSERT INTO erasures (holder, class, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    NOTE_TAKEN = "INSERT INTO taken_ids (login, message_id, contract, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    ERASURES = "SELECT holder, class, at FROM erasures ORDER BY at, holder, class";
    TAKEN_IDS = "SELECT login, message_id, contract, at FROM taken_ids ORDER BY login, message_id";
    TRUNCATE_LOG = "PRAGMA wal_checkpoint(TRUNCATE)";
    CURRENT_EPOCH = "SELECT epoch, messages FROM epochs ORDER BY epoch DESC LIMIT 1";
    FEED_MARKS = "SELECT recipient, head, pages FROM feed_marks WHERE epoch = ?1";
    FIRST_EPOCH = "INSERT INTO epochs (epoch, began_at, messages) SELECT 1, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM epochs)";
    RAISE_MESSAGES = "UPDATE epochs SET messages = max(messages, ?1) WHERE epoch = (SELECT max(epoch) FROM epochs)";
    RAISE_FEED = "INSERT INTO feed_marks (epoch, recipient, head, pages) SELECT max(epoch), ?1, ?2, ?3 FROM epochs WHERE \
        true \
        ON CONFLICT (epoch, recipient) DO UPDATE SET head = max(head, excluded.head), pages = max(pages, excluded.pages)";
    BEGIN_EPOCH = "INSERT INTO epochs (epoch, began_at, messages) VALUES (?1, ?2, 0)";
    BEGIN = "BEGIN IMMEDIATE";
}
