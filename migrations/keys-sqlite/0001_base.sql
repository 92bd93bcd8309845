-- The key store: a file of its own, never part of a backup of the content. Times are microseconds since
-- 1970-01-01T00:00:00Z. Holders, persons and consents are keyed digests whose key is not in this file; data keys are wrapped
-- by a wrapping key that is not in this file either.

-- At most one wrapping key is in use; what it is stands outside.
CREATE TABLE wrapping (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  BLOB    NOT NULL,
    at  INTEGER NOT NULL
) STRICT;

CREATE TABLE data_keys (
    id       BLOB PRIMARY KEY,
    holder   BLOB    NOT NULL,
    class    TEXT    NOT NULL,
    wrapping BLOB    NOT NULL,
    wrapped  BLOB    NOT NULL,        -- nonce ‖ wrapped key ‖ tag
    made_at  INTEGER NOT NULL,
    UNIQUE (holder, class)
) STRICT, WITHOUT ROWID;

CREATE INDEX data_keys_wrapping ON data_keys (wrapping);

-- The restore mark. The highest epoch is the current one; the marks of earlier ones are kept as they were.
CREATE TABLE epochs (
    epoch    INTEGER PRIMARY KEY,
    began_at INTEGER NOT NULL,
    messages INTEGER NOT NULL
) STRICT;

CREATE TABLE feed_marks (
    epoch     INTEGER NOT NULL REFERENCES epochs (epoch),
    recipient TEXT    NOT NULL,
    head      INTEGER NOT NULL,
    pages     INTEGER NOT NULL,
    PRIMARY KEY (epoch, recipient)
) STRICT, WITHOUT ROWID;

-- The ledgers: what a restored backup of the content must not undo. Their rows outlive retention.
CREATE TABLE revocations (
    consent    BLOB    NOT NULL,
    person     BLOB    NOT NULL,
    revoked_at INTEGER NOT NULL,
    categories TEXT    NOT NULL,      -- those that it ends, parted by spaces; empty where it ends all
    PRIMARY KEY (consent, revoked_at, categories)
) STRICT, WITHOUT ROWID;

CREATE TABLE flags (
    person BLOB PRIMARY KEY,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE erasures (
    holder BLOB    NOT NULL,
    class  TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (holder, class, at)
) STRICT, WITHOUT ROWID;
