-- The audit chain: one link for each transaction that has rows. Rows that were written before it stay as they were, apart from
-- it; nothing protects them.
ALTER TABLE audit RENAME TO audit_before_chain;

CREATE TABLE audit (
    tx        INTEGER NOT NULL,
    ordinal   INTEGER NOT NULL,        -- its place among the rows of the transaction, from 0
    act       TEXT    NOT NULL,
    actor     TEXT    NOT NULL,
    message   INTEGER,
    recipient TEXT,
    position  INTEGER,
    code      TEXT,
    reason    TEXT,                    -- a person's own words
    detail    TEXT    NOT NULL,
    basis     BLOB,                    -- what it rests on, by its digest: the text is in bases
    content   BLOB,                    -- a keyed digest that dies with its key
    PRIMARY KEY (tx, ordinal)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_message ON audit (message) WHERE message IS NOT NULL;

-- Links are kept for ever. The hash is over the link before, and all that stands here; docs/audit.md describes every byte.
CREATE TABLE audit_links (
    number INTEGER PRIMARY KEY,        -- its place in the chain, from 1 and without gaps
    tx     INTEGER NOT NULL UNIQUE,
    at     INTEGER NOT NULL,
    size   INTEGER NOT NULL,           -- how many rows
    digest BLOB    NOT NULL,           -- over its rows
    marks  BLOB    NOT NULL,           -- four bytes of each row's digest, to tell which row does not fit
    hash   BLOB    NOT NULL
) STRICT;

-- The newest link.
CREATE TABLE audit_head (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL,
    hash   BLOB    NOT NULL
) STRICT;

INSERT INTO audit_head (one, number, hash) VALUES (1, 0, zeroblob(32));

-- What disclosures rest on, each text once, by the first 16 bytes of its SHA-256. Kept for ever. Legs have texts of their own.
CREATE TABLE bases (
    digest BLOB PRIMARY KEY,
    text   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
