-- The ledger of withdrawals has one row an entry, which goes from step to step; and the receipts of recipients.

DELETE FROM withdrawals WHERE number NOT IN (SELECT max(number) FROM withdrawals GROUP BY recipient, position);
CREATE UNIQUE INDEX withdrawals_entry ON withdrawals (recipient, position);

ALTER TABLE withdrawals ADD COLUMN delete_position INTEGER;    -- the entry's DELETE, where there is one
ALTER TABLE withdrawals ADD COLUMN cause INTEGER;              -- the message that caused it; NULL where a date or a person did
ALTER TABLE withdrawals ADD COLUMN lapsed_at INTEGER;          -- when its time passed, where that came first
ALTER TABLE withdrawals ADD COLUMN served_at INTEGER;          -- when its DELETE was served or handed over
ALTER TABLE withdrawals ADD COLUMN acknowledged_at INTEGER;    -- when its recipient said that it had the DELETE
ALTER TABLE withdrawals ADD COLUMN superseded_at INTEGER;      -- when a newer document took the place of a DELETE nobody had fetched

CREATE INDEX withdrawals_delete ON withdrawals (recipient, delete_position) WHERE delete_position IS NOT NULL;
CREATE INDEX withdrawals_open ON withdrawals (recipient, at) WHERE step IN ('delete-published', 'delete-served');

-- What stood in the ledger before gets what can be told of it from the feeds.
UPDATE withdrawals SET lapsed_at = at WHERE step = 'lapsed-after-serving';
UPDATE withdrawals SET delete_position = (SELECT min(entries.position) FROM entries
    WHERE entries.recipient = withdrawals.recipient AND entries.subject = withdrawals.subject
    AND entries.method = 'DELETE' AND entries.position > withdrawals.position) WHERE step = 'delete-published';
UPDATE withdrawals SET served_at = (SELECT entries.served_at FROM entries
    WHERE entries.recipient = withdrawals.recipient AND entries.position = withdrawals.delete_position)
    WHERE delete_position IS NOT NULL;
UPDATE withdrawals SET step = 'delete-served' WHERE served_at IS NOT NULL;
UPDATE withdrawals SET step = 'delete-superseded', superseded_at = (SELECT min(newer.published_at) FROM entries AS newer
    WHERE newer.recipient = withdrawals.recipient AND newer.subject = withdrawals.subject
    AND newer.position > withdrawals.delete_position)
    WHERE step = 'delete-published' AND EXISTS (SELECT 1 FROM entries WHERE entries.recipient = withdrawals.recipient
    AND entries.position = withdrawals.delete_position AND entries.state <> 'live');

-- What operators look through.
CREATE INDEX messages_consents ON messages (number) WHERE kind = 'consent';

-- One row for each thing that a recipient has said of one entry.
CREATE TABLE receipts (
    recipient   TEXT NOT NULL,
    position    INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    code        TEXT,                 -- of the code list, where it rejects
    message     INTEGER NOT NULL REFERENCES messages (number),
    stated_at   INTEGER NOT NULL,      -- when it came to be, by the recipient's own clock
    received_at INTEGER NOT NULL,
    settled_at  INTEGER,               -- a person has set the rejection aside
    PRIMARY KEY (recipient, position, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX receipts_rejected ON receipts (recipient, position) WHERE kind = 'rejected' AND settled_at IS NULL;
