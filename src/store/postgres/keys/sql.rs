//! Every statement of the PostgreSQL key store, in one list: a test prepares each of them.

statements! {
    OF_HOLDERS = "SELECT id, data_keys.holder, data_keys.class, wrapping, wrapped FROM UNNEST($1::bytea[], $2::text[]) \
        AS wanted (holder, class) JOIN data_keys ON data_keys.holder = wanted.holder AND data_keys.class = wanted.class";
    OF_IDS = "SELECT id, holder, class, wrapping, wrapped FROM data_keys WHERE id = ANY($1)";
    FIRST_WRAPPING = "INSERT INTO wrapping (one, id, at) VALUES (1, $1, $2) ON CONFLICT DO NOTHING";
    /// Shared: keepers do not wait for each other, and a rotation waits for them.
    WRAPPING_SHARED = "SELECT id FROM wrapping FOR SHARE";
    WRAPPING = "SELECT id FROM wrapping";
    USE_WRAPPING = "INSERT INTO wrapping (one, id, at) VALUES (1, $1, $2) \
        ON CONFLICT (one) DO UPDATE SET id = excluded.id, at = excluded.at";
    KEEP = "INSERT INTO data_keys (id, holder, class, wrapping, wrapped, made_at) SELECT id, holder, class, $4, wrapped, $6 \
        FROM UNNEST($1::bytea[], $2::bytea[], $3::text[], $5::bytea[]) AS new (id, holder, class, wrapped) \
        ORDER BY holder, class ON CONFLICT DO NOTHING RETURNING id";
    WRAPPED_BY_OTHERS = "SELECT id, holder, class, wrapping, wrapped FROM data_keys WHERE wrapping < $1 OR wrapping > $1 LIMIT $2";
    REPLACE = "UPDATE data_keys SET wrapping = new.wrapping, wrapped = new.wrapped \
        FROM UNNEST($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[]) AS new (id, before, wrapping, wrapped) \
        WHERE data_keys.id = new.id AND data_keys.wrapping = new.before";
    DESTROY = "DELETE FROM data_keys USING UNNEST($1::bytea[], $2::text[]) AS gone (holder, class) \
        WHERE data_keys.holder = gone.holder AND data_keys.class = gone.class";
    NOTE_ERASURE = "INSERT INTO erasures (holder, class, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    NOTE_TAKEN = "INSERT INTO taken_ids (login, message_id, contract, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    ERASURES = "SELECT holder, class, at FROM erasures ORDER BY at, holder, class";
    TAKEN_IDS = "SELECT login, message_id, contract, at FROM taken_ids ORDER BY login, message_id";
    VACUUM = "VACUUM data_keys";
    EPOCH = "SELECT epoch, messages FROM epochs ORDER BY epoch DESC LIMIT 1";
    FEED_MARKS = "SELECT recipient, head, pages FROM feed_marks WHERE epoch = $1";
    FIRST_EPOCH = "INSERT INTO epochs (epoch, began_at, messages) SELECT 1, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM epochs) \
        ON CONFLICT DO NOTHING";
    RAISE = "UPDATE epochs SET messages = greatest(messages, $1) WHERE epoch = (SELECT max(epoch) FROM epochs) AND messages < $1";
    RAISE_FEEDS = "INSERT INTO feed_marks (epoch, recipient, head, pages) SELECT (SELECT max(epoch) FROM epochs), recipient, \
        head, pages FROM UNNEST($1::text[], $2::bigint[], $3::bigint[]) AS new (recipient, head, pages) ORDER BY recipient \
        ON CONFLICT (epoch, recipient) DO UPDATE SET head = greatest(feed_marks.head, excluded.head), \
        pages = greatest(feed_marks.pages, excluded.pages)";
    BEGIN_EPOCH = "INSERT INTO epochs (epoch, began_at, messages) VALUES ($1, $2, 0)";
    NOTE_REVOCATION = "INSERT INTO revocations (consent, person, revoked_at, categories) VALUES ($1, $2, $3, $4) \
        ON CONFLICT DO NOTHING";
    LIFT_FLAG = "DELETE FROM flags WHERE person = $1 AND at <= $2";
    NOTE_FLAG = "INSERT INTO flags (person, at) VALUES ($1, $2) \
        ON CONFLICT (person) DO UPDATE SET at = greatest(flags.at, excluded.at)";
    REVOCATIONS = "SELECT consent, person, revoked_at, categories FROM revocations ORDER BY person, consent, revoked_at";
    FLAGS = "SELECT person FROM flags ORDER BY person";
}
