-- The key store: a database of its own, never part of a backup of the content. Times are microseconds since
-- 1970-01-01T00:00:00Z. Holders, persons and consents are keyed digests whose key is not in this database; data keys are wrapped
-- by a wrapping key that is not here either.

-- At most one wrapping key is in use; what it is stands outside.
CREATE TABLE wrapping (
    one bigint PRIMARY KEY CHECK (one = 1),
    id  bytea    NOT NULL,
    at  bigint NOT NULL
);

CREATE TABLE data_keys (
    id       bytea PRIMARY KEY,
    holder   bytea    NOT NULL,
    class    text    NOT NULL,
    wrapping bytea    NOT NULL,
    wrapped  bytea    NOT NULL,        -- nonce ‖ wrapped key ‖ tag
    made_at  bigint NOT NULL,
    UNIQUE (holder, class)
);

CREATE INDEX data_keys_wrapping ON data_keys (wrapping);

-- The restore mark. The highest epoch is the current one; the marks of earlier ones are kept as they were.
CREATE TABLE epochs (
    epoch    bigint PRIMARY KEY,
    began_at bigint NOT NULL,
    messages bigint NOT NULL
);

CREATE TABLE feed_marks (
    epoch     bigint NOT NULL REFERENCES epochs (epoch),
    recipient text    NOT NULL,
    head      bigint NOT NULL,
    pages     bigint NOT NULL,
    PRIMARY KEY (epoch, recipient)
);

-- The ledgers: what a restored backup of the content must not undo. Their rows outlive retention.
CREATE TABLE revocations (
    consent    bytea    NOT NULL,
    person     bytea    NOT NULL,
    revoked_at bigint NOT NULL,
    categories text    NOT NULL,      -- those that it ends, parted by spaces; empty where it ends all
    PRIMARY KEY (consent, revoked_at, categories)
);

CREATE TABLE flags (
    person bytea PRIMARY KEY,
    at     bigint NOT NULL
);

CREATE TABLE erasures (
    holder bytea    NOT NULL,
    class  text    NOT NULL,
    at     bigint NOT NULL,
    PRIMARY KEY (holder, class, at)
);
