-- The embedded store. Times are microseconds since 1970-01-01T00:00:00Z. Contents are opaque bytes; persons, reports and
-- subjects are keyed digests whose key is not in this file.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

INSERT INTO meta (key, value) VALUES ('epoch', '1');

-- One row a participant: what transactions about the participant lock first, and the protection flag.
CREATE TABLE persons (
    person     BLOB PRIMARY KEY,
    flagged_at INTEGER             -- when a protection flag was first seen; messages never clear it
) STRICT;

CREATE TABLE messages (
    number       INTEGER PRIMARY KEY,
    login        TEXT    NOT NULL,
    message_id   BLOB    NOT NULL,
    fingerprint  BLOB,                -- NULL once blanked: then any bytes under this id are a duplicate
    contract     TEXT    NOT NULL,
    syntax       TEXT    NOT NULL,
    message_time INTEGER NOT NULL,
    received_at  INTEGER NOT NULL,
    traceparent  TEXT,                -- W3C Trace Context, as the sender gave it
    correlation  BLOB,                -- the message that it belongs to, as the sender gave it
    duplicates   INTEGER NOT NULL DEFAULT 0,
    kind         TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    violations   TEXT    NOT NULL,    -- JSON: [[code, place], …]
    restricted   INTEGER NOT NULL,
    discarded_at INTEGER,
    person       BLOB,
    report       BLOB,
    revision     INTEGER,
    content      BLOB,
    fan_out      INTEGER NOT NULL DEFAULT 0,   -- recipients that the agreement gave the journey
    sealed       BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX messages_receipt ON messages (login, message_id, fingerprint);
CREATE INDEX messages_person ON messages (person, kind);
CREATE INDEX messages_report ON messages (report, revision);
CREATE INDEX messages_refused ON messages (state, number) WHERE state = 'refused';

CREATE TABLE legs (
    message   INTEGER NOT NULL REFERENCES messages (number),
    recipient TEXT    NOT NULL,
    report    BLOB    NOT NULL,
    state     TEXT    NOT NULL,
    code      TEXT,
    due_at    INTEGER,
    documents INTEGER NOT NULL,
    basis     TEXT    NOT NULL,
    PRIMARY KEY (message, recipient)
) STRICT, WITHOUT ROWID;

CREATE INDEX legs_due ON legs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX legs_report ON legs (report);
CREATE INDEX legs_open ON legs (state, message) WHERE state IN ('held', 'refused');

-- One row a recipient: what pages and retractions lock, and the counter that positions come from.
CREATE TABLE feeds (
    recipient TEXT PRIMARY KEY,
    head      INTEGER NOT NULL,
    pages     INTEGER NOT NULL DEFAULT 0       -- pages and hand-overs committed: the restore mark's counter
) STRICT;

CREATE TABLE entries (
    recipient    TEXT    NOT NULL,
    position     INTEGER NOT NULL,
    message      INTEGER NOT NULL REFERENCES messages (number),
    report       BLOB,               -- NULL for an answer to a system: it has no person and no gate
    person       BLOB,
    subject      BLOB    NOT NULL,
    contract     TEXT    NOT NULL,
    syntax       TEXT    NOT NULL,
    method       TEXT    NOT NULL,
    sealed       BLOB    NOT NULL,
    fingerprint  BLOB    NOT NULL,
    published_at INTEGER NOT NULL,
    until        INTEGER,            -- the gate is shut by date from here on; NULL for a DELETE
    served_at    INTEGER,
    confirmed_at INTEGER,            -- only of pushed feeds
    refused_at   INTEGER,            -- its system does not take it: a dead letter, which waits for a person
    refused_with TEXT,               -- what the system said, in words without values
    discarded_at INTEGER,            -- a person has set the dead letter aside; it is not sent again
    illustrative INTEGER NOT NULL,   -- made under terms that nobody has signed
    state        TEXT    NOT NULL,
    PRIMARY KEY (recipient, position)
) STRICT;

CREATE INDEX entries_report ON entries (report, recipient);
CREATE INDEX entries_subject ON entries (recipient, subject) WHERE state = 'live';
CREATE INDEX entries_live ON entries (recipient, position) WHERE state = 'live';
CREATE INDEX entries_unserved ON entries (recipient, published_at) WHERE state = 'live' AND served_at IS NULL;
CREATE INDEX entries_unconfirmed ON entries (recipient, position)
    WHERE state = 'live' AND confirmed_at IS NULL AND refused_at IS NULL;
CREATE INDEX entries_refused ON entries (message) WHERE state = 'live' AND refused_at IS NOT NULL AND discarded_at IS NULL;

-- Reports that are looked at when their hold period ends: whoever sent one that was not forwarded is told so.
CREATE TABLE due_answers (
    message      INTEGER PRIMARY KEY REFERENCES messages (number),
    person       BLOB    NOT NULL,
    recipients   TEXT    NOT NULL,    -- whose gate is a waiver, with a space between
    due_at       INTEGER NOT NULL,
    illustrative INTEGER NOT NULL
) STRICT;

CREATE INDEX due_answers_due ON due_answers (due_at, message);

-- Which process relays a pushed feed, and until when it may.
CREATE TABLE leases (
    recipient TEXT PRIMARY KEY,
    owner     TEXT NOT NULL,
    until     INTEGER NOT NULL
) STRICT;

CREATE TABLE withdrawals (
    number    INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    recipient TEXT    NOT NULL,
    position  INTEGER NOT NULL,
    subject   BLOB    NOT NULL,
    report    BLOB    NOT NULL,
    code      TEXT    NOT NULL,
    step      TEXT    NOT NULL
) STRICT;

-- Revocations that the key store's ledger has and a restored backup had not: they count like the messages that were lost.
CREATE TABLE kept_revocations (
    consent    BLOB    NOT NULL,
    person     BLOB    NOT NULL,
    revoked_at INTEGER NOT NULL,
    categories TEXT    NOT NULL,         -- those that it ends, parted by spaces; empty where it ends all
    PRIMARY KEY (person, consent, revoked_at, categories)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    number    INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    act       TEXT    NOT NULL,
    actor     TEXT    NOT NULL,
    message   INTEGER,
    recipient TEXT,
    code      TEXT,
    detail    TEXT    NOT NULL
) STRICT;
