-- The audit chain: one link for each transaction that has rows. Rows that were written before it stay as they were, apart from
-- it; nothing protects them.
ALTER TABLE audit RENAME TO audit_before_chain;

-- A transaction's number is drawn before the chain's head is locked: it names the transaction and says nothing about the order.
CREATE SEQUENCE audit_transactions;

CREATE TABLE audit (
    tx        bigint  NOT NULL,
    ordinal   integer NOT NULL,        -- its place among the rows of the transaction, from 0
    act       text    NOT NULL,
    actor     text    NOT NULL,
    message   bigint,
    recipient text,
    position  bigint,
    code      text,
    reason    text,                    -- a person's own words
    detail    text    NOT NULL,
    basis     bytea,                   -- what it rests on, by its digest: the text is in bases
    content   bytea,                   -- a keyed digest that dies with its key
    PRIMARY KEY (tx, ordinal)
);

CREATE INDEX audit_message ON audit (message) WHERE message IS NOT NULL;

-- Links are kept for ever. The hash is over the link before, and all that stands here; docs/audit.md describes every byte.
CREATE TABLE audit_links (
    number bigint PRIMARY KEY,         -- its place in the chain, from 1 and without gaps
    tx     bigint NOT NULL UNIQUE,
    at     bigint NOT NULL,
    size   bigint NOT NULL,            -- how many rows
    digest bytea  NOT NULL,            -- over its rows
    marks  bytea  NOT NULL,            -- four bytes of each row's digest, to tell which row does not fit
    hash   bytea  NOT NULL
);

-- The newest link: the last row that a transaction locks.
CREATE TABLE audit_head (
    one    bigint PRIMARY KEY CHECK (one = 1),
    number bigint NOT NULL,
    hash   bytea  NOT NULL
) WITH (fillfactor = 20);

INSERT INTO audit_head (one, number, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

-- What legs and disclosures rest on, each text once, by the first 16 bytes of its SHA-256. Kept for ever.
CREATE TABLE bases (
    digest bytea PRIMARY KEY,
    text   text  NOT NULL
);

INSERT INTO bases (digest, text) SELECT DISTINCT substring(sha256(convert_to(basis, 'UTF8')) FOR 16), basis FROM legs;

ALTER TABLE legs ALTER COLUMN basis TYPE bytea USING substring(sha256(convert_to(basis, 'UTF8')) FOR 16);
