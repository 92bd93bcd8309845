-- The store that several processes share. Times are microseconds since 1970-01-01T00:00:00Z. Contents are opaque bytes;
-- persons, reports and subjects are keyed digests whose key is not in this database.
--
-- There are no foreign keys: a unit of work writes messages before what hangs on them, nothing else writes here, and a check
-- for each row costs more than the row.

CREATE TABLE meta (
    key   text PRIMARY KEY,
    value text NOT NULL
);

INSERT INTO meta (key, value) VALUES ('epoch', '1');

-- One row a participant: what transactions about the participant lock first, and the protection flag.
CREATE TABLE persons (
    person     bytea PRIMARY KEY,
    flagged_at bigint              -- when a protection flag was first seen; messages never clear it
);

-- Numbers are taken a batch at a time and may have gaps; positions in feeds may not, and come from feeds.head.
CREATE SEQUENCE message_numbers;

CREATE TABLE messages (
    number       bigint PRIMARY KEY,
    login        text    NOT NULL,
    message_id   uuid    NOT NULL,
    fingerprint  bytea,               -- NULL once blanked: then any bytes under this id are a duplicate
    contract     text    NOT NULL,
    syntax       text    NOT NULL,
    message_time bigint  NOT NULL,
    received_at  bigint  NOT NULL,
    traceparent  text,                -- W3C Trace Context, as the sender gave it
    correlation  uuid,                -- the message that it belongs to, as the sender gave it
    duplicates   bigint  NOT NULL DEFAULT 0,
    kind         text    NOT NULL,
    state        text    NOT NULL,
    violations   text    NOT NULL,    -- JSON: [[code, place], …]
    restricted   boolean NOT NULL,
    discarded_at bigint,
    person       bytea,
    report       bytea,
    revision     bigint,
    content      bytea,
    fan_out      bigint  NOT NULL DEFAULT 0,   -- recipients that the agreement gave the journey
    sealed       bytea   NOT NULL
) WITH (toast_tuple_target = 8160);

-- Sealed bytes do not compress; trying to costs more than all the rest of the row.
ALTER TABLE messages ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE UNIQUE INDEX messages_receipt ON messages (login, message_id, fingerprint);
CREATE INDEX messages_person ON messages (person, kind) WHERE person IS NOT NULL;
CREATE INDEX messages_report ON messages (report, revision) WHERE report IS NOT NULL;
CREATE INDEX messages_refused ON messages (number) WHERE state = 'refused';

CREATE TABLE legs (
    message   bigint NOT NULL,
    recipient text   NOT NULL,
    report    bytea  NOT NULL,
    state     text   NOT NULL,
    code      text,
    due_at    bigint,
    documents bigint NOT NULL,
    basis     text   NOT NULL,
    PRIMARY KEY (message, recipient)
);

CREATE INDEX legs_due ON legs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX legs_report ON legs (report);
CREATE INDEX legs_open ON legs (state, message) WHERE state IN ('held', 'refused');

-- One row a recipient: what pages and retractions lock.
CREATE TABLE deliveries (
    recipient text PRIMARY KEY,
    pages     bigint NOT NULL DEFAULT 0        -- pages and hand-overs committed: the restore mark's counter
) WITH (fillfactor = 20);

-- One row a recipient: the counter that positions come from, raised as the last thing of a transaction.
CREATE TABLE feeds (
    recipient text PRIMARY KEY,
    head      bigint NOT NULL
) WITH (fillfactor = 20);

CREATE TABLE entries (
    recipient    text    NOT NULL,
    position     bigint  NOT NULL,
    message      bigint  NOT NULL,
    report       bytea,              -- NULL for an answer to a system: it has no person and no gate
    person       bytea,
    subject      bytea   NOT NULL,
    contract     text    NOT NULL,
    syntax       text    NOT NULL,
    method       text    NOT NULL,
    sealed       bytea   NOT NULL,
    fingerprint  bytea   NOT NULL,
    published_at bigint  NOT NULL,
    until        bigint,             -- the gate is shut by date from here on; NULL for a DELETE
    served_at    bigint,
    confirmed_at bigint,             -- only of pushed feeds
    refused_at   bigint,             -- its system does not take it: a dead letter, which waits for a person
    refused_with text,               -- what the system said, in words without values
    discarded_at bigint,             -- a person has set the dead letter aside; it is not sent again
    illustrative boolean NOT NULL,   -- made under terms that nobody has signed
    state        text    NOT NULL,
    PRIMARY KEY (recipient, position)
) WITH (toast_tuple_target = 8160);

ALTER TABLE entries ALTER COLUMN sealed SET STORAGE EXTERNAL;

CREATE INDEX entries_report ON entries (report) WHERE report IS NOT NULL;
CREATE INDEX entries_unserved ON entries (recipient, published_at) WHERE state = 'live' AND served_at IS NULL;
-- Arbetsförmedlingen polls, and nobody confirms its entries.
CREATE INDEX entries_unconfirmed ON entries (recipient, position)
    WHERE state = 'live' AND confirmed_at IS NULL AND refused_at IS NULL AND recipient <> 'arbetsformedlingen';
CREATE INDEX entries_refused ON entries (message) WHERE state = 'live' AND refused_at IS NOT NULL AND discarded_at IS NULL;

-- Reports that are looked at when their hold period ends: whoever sent one that was not forwarded is told so.
CREATE TABLE due_answers (
    message      bigint  PRIMARY KEY,
    person       bytea   NOT NULL,
    recipients   text    NOT NULL,    -- whose gate is a waiver, with a space between
    due_at       bigint  NOT NULL,
    illustrative boolean NOT NULL
);

CREATE INDEX due_answers_due ON due_answers (due_at, message);

-- Which process relays a pushed feed, and until when it may.
CREATE TABLE leases (
    recipient text PRIMARY KEY,
    owner     text NOT NULL,
    until     bigint NOT NULL
);

CREATE TABLE withdrawals (
    number    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        bigint NOT NULL,
    recipient text   NOT NULL,
    position  bigint NOT NULL,
    subject   bytea  NOT NULL,
    report    bytea  NOT NULL,
    code      text   NOT NULL,
    step      text   NOT NULL
);

-- Revocations that the key store's ledger has and a restored backup had not: they count like the messages that were lost.
CREATE TABLE kept_revocations (
    consent    bytea  NOT NULL,
    person     bytea  NOT NULL,
    revoked_at bigint NOT NULL,
    categories text   NOT NULL,          -- those that it ends, parted by spaces; empty where it ends all
    PRIMARY KEY (person, consent, revoked_at, categories)
);

CREATE TABLE audit (
    number    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        bigint NOT NULL,
    act       text   NOT NULL,
    actor     text   NOT NULL,
    message   bigint,
    recipient text,
    code      text,
    detail    text   NOT NULL
);
