-- Dead letters as the operators' desk looks through them: a row for each, kept by triggers, so that no act can forget it and
-- what is shown is never behind. Restricted letters have no row; neither has a diverted report, whose legs are gone. Nothing that
-- stands here is of a content: ids, codes, and places in the contract's own names.
CREATE TABLE dead_letters (
    message     INTEGER NOT NULL,
    part        TEXT    NOT NULL,   -- '' for the message as a whole, or which leg, entry or receipt of it
    recipient   TEXT,               -- whose leg or entry
    position    INTEGER,            -- which entry
    login       TEXT    NOT NULL,
    message_id  BLOB    NOT NULL,
    correlation BLOB,
    contract    TEXT    NOT NULL,
    code        TEXT    NOT NULL,
    place       TEXT    NOT NULL,   -- of the first violation, without the order of list items; '' where there is none
    said        TEXT,               -- the recipient's own code
    received_at INTEGER NOT NULL,
    state       TEXT    NOT NULL,   -- open, or discarded
    PRIMARY KEY (message, part)
) STRICT;

-- One index for each way of asking, each ending in the order of the lists.
CREATE INDEX dead_letters_all ON dead_letters (state, received_at, message, part);
CREATE INDEX dead_letters_login ON dead_letters (state, login, received_at, message, part);
CREATE INDEX dead_letters_code ON dead_letters (state, code, received_at, message, part);
CREATE INDEX dead_letters_login_code ON dead_letters (state, login, code, received_at, message, part);
CREATE INDEX dead_letters_cause ON dead_letters (state, login, code, contract, place, received_at, message, part);
CREATE INDEX dead_letters_correlation ON dead_letters (correlation, state, received_at, message, part)
    WHERE correlation IS NOT NULL;
CREATE INDEX dead_letters_entry ON dead_letters (recipient, position) WHERE position IS NOT NULL;

-- Which field of which letter who sees unmasked, and until when. No values.
CREATE TABLE unmasked_fields (
    operator TEXT NOT NULL,
    message  INTEGER NOT NULL,
    place    TEXT NOT NULL,
    until    INTEGER NOT NULL,
    PRIMARY KEY (operator, message, place)
) STRICT, WITHOUT ROWID;

-- How many open letters each cause has.
CREATE TABLE dead_letter_groups (
    login    TEXT    NOT NULL,
    code     TEXT    NOT NULL,
    contract TEXT    NOT NULL,
    place    TEXT    NOT NULL,
    letters  INTEGER NOT NULL,
    PRIMARY KEY (login, code, contract, place)
) STRICT, WITHOUT ROWID;

-- The code and place of a message's first violation, the place without the order of list items: `absences[1].reason` is
-- `absences[].reason`. A trigger may not say WITH, so it reads this.
CREATE VIEW message_causes (message, code, place) AS SELECT number, coalesce(violations ->> '$[0][0]', 'journey.failed'),
    (WITH RECURSIVE steps (done, rest) AS (SELECT '', coalesce(messages.violations ->> '$[0][1]', '') UNION ALL
        SELECT done || substr(rest, 1, instr(rest, '[')), ltrim(substr(rest, instr(rest, '[') + 1), '0123456789')
        FROM steps WHERE instr(rest, '[') > 0) SELECT done || rest FROM steps WHERE instr(rest, '[') = 0)
    FROM messages;

CREATE TRIGGER dead_letter_counted_in AFTER INSERT ON dead_letters WHEN NEW.state = 'open' BEGIN
    INSERT INTO dead_letter_groups (login, code, contract, place, letters)
        VALUES (NEW.login, NEW.code, NEW.contract, NEW.place, 1)
        ON CONFLICT (login, code, contract, place) DO UPDATE SET letters = letters + 1;
END;
CREATE TRIGGER dead_letter_counted_again AFTER UPDATE OF state ON dead_letters WHEN OLD.state <> 'open' AND NEW.state = 'open' BEGIN
    INSERT INTO dead_letter_groups (login, code, contract, place, letters)
        VALUES (NEW.login, NEW.code, NEW.contract, NEW.place, 1)
        ON CONFLICT (login, code, contract, place) DO UPDATE SET letters = letters + 1;
END;
CREATE TRIGGER dead_letter_counted_off AFTER UPDATE OF state ON dead_letters WHEN OLD.state = 'open' AND NEW.state <> 'open' BEGIN
    UPDATE dead_letter_groups SET letters = letters - 1 WHERE login = OLD.login AND code = OLD.code
        AND contract = OLD.contract AND place = OLD.place;
    DELETE FROM dead_letter_groups WHERE login = OLD.login AND code = OLD.code AND contract = OLD.contract
        AND place = OLD.place AND letters <= 0;
END;
CREATE TRIGGER dead_letter_counted_out AFTER DELETE ON dead_letters WHEN OLD.state = 'open' BEGIN
    UPDATE dead_letter_groups SET letters = letters - 1 WHERE login = OLD.login AND code = OLD.code
        AND contract = OLD.contract AND place = OLD.place;
    DELETE FROM dead_letter_groups WHERE login = OLD.login AND code = OLD.code AND contract = OLD.contract
        AND place = OLD.place AND letters <= 0;
END;

CREATE TRIGGER dead_letter_comes AFTER INSERT ON messages WHEN NEW.state = 'refused' AND NOT NEW.restricted BEGIN
    INSERT INTO dead_letters (message, part, login, message_id, correlation, contract, code, place, received_at, state)
        SELECT NEW.number, '', NEW.login, NEW.message_id, NEW.correlation, NEW.contract, code, place, NEW.received_at,
        iif(NEW.discarded_at IS NULL, 'open', 'discarded') FROM message_causes WHERE message = NEW.number;
END;
CREATE TRIGGER dead_letter_changes AFTER UPDATE OF state, violations, restricted, discarded_at ON messages
    WHEN OLD.state = 'refused' OR NEW.state = 'refused' OR OLD.discarded_at IS NOT NEW.discarded_at BEGIN
    DELETE FROM dead_letters WHERE message = OLD.number AND part = '';
    INSERT INTO dead_letters (message, part, login, message_id, correlation, contract, code, place, received_at, state)
        SELECT NEW.number, '', NEW.login, NEW.message_id, NEW.correlation, NEW.contract, code, place, NEW.received_at,
        iif(NEW.discarded_at IS NULL, 'open', 'discarded') FROM message_causes
        WHERE message = NEW.number AND NEW.state = 'refused' AND NOT NEW.restricted;
    UPDATE dead_letters SET state = iif(NEW.discarded_at IS NULL, 'open', 'discarded')
        WHERE message = NEW.number AND part LIKE 'leg:%' AND OLD.discarded_at IS NOT NEW.discarded_at;
END;
CREATE TRIGGER dead_letter_goes AFTER DELETE ON messages WHEN OLD.state = 'refused' BEGIN
    DELETE FROM dead_letters WHERE message = OLD.number AND part = '';
END;

CREATE TRIGGER dead_letter_of_leg_comes AFTER INSERT ON legs WHEN NEW.state = 'refused' BEGIN
    INSERT INTO dead_letters (message, part, recipient, login, message_id, correlation, contract, code, place, received_at, state)
        SELECT number, 'leg:' || NEW.recipient, NEW.recipient, login, message_id, correlation, contract,
        coalesce(NEW.code, 'journey.failed'), '', received_at, iif(discarded_at IS NULL, 'open', 'discarded')
        FROM messages WHERE number = NEW.message;
END;
CREATE TRIGGER dead_letter_of_leg_changes AFTER UPDATE OF state, code ON legs
    WHEN (OLD.state = 'refused' OR NEW.state = 'refused') AND (OLD.state IS NOT NEW.state OR OLD.code IS NOT NEW.code) BEGIN
    DELETE FROM dead_letters WHERE message = OLD.message AND part = 'leg:' || OLD.recipient;
    INSERT INTO dead_letters (message, part, recipient, login, message_id, correlation, contract, code, place, received_at, state)
        SELECT number, 'leg:' || NEW.recipient, NEW.recipient, login, message_id, correlation, contract,
        coalesce(NEW.code, 'journey.failed'), '', received_at, iif(discarded_at IS NULL, 'open', 'discarded')
        FROM messages WHERE number = NEW.message AND NEW.state = 'refused';
END;
CREATE TRIGGER dead_letter_of_leg_goes AFTER DELETE ON legs WHEN OLD.state = 'refused' BEGIN
    DELETE FROM dead_letters WHERE message = OLD.message AND part = 'leg:' || OLD.recipient;
END;

-- Of what nobody has refused and nobody was served there is no letter.
CREATE TRIGGER dead_letter_of_entry_changes AFTER UPDATE OF state, message, refused_at, discarded_at ON entries
    WHEN (OLD.refused_at IS NOT NULL OR NEW.refused_at IS NOT NULL OR OLD.served_at IS NOT NULL)
    AND (OLD.state IS NOT NEW.state OR OLD.message IS NOT NEW.message OR OLD.refused_at IS NOT NEW.refused_at
    OR OLD.discarded_at IS NOT NEW.discarded_at) BEGIN
    DELETE FROM dead_letters WHERE recipient = OLD.recipient AND position = OLD.position AND position IS NOT NULL;
    INSERT INTO dead_letters (message, part, recipient, position, login, message_id, correlation, contract, code, place,
        received_at, state) SELECT number, 'entry:' || NEW.recipient || ':' || NEW.position, NEW.recipient, NEW.position,
        login, message_id, correlation, contract, 'relay.refused', '', received_at,
        iif(NEW.discarded_at IS NULL, 'open', 'discarded') FROM messages
        WHERE number = NEW.message AND NEW.state = 'live' AND NEW.refused_at IS NOT NULL;
    INSERT INTO dead_letters (message, part, recipient, position, login, message_id, correlation, contract, code, place, said,
        received_at, state) SELECT number, 'receipt:' || NEW.recipient || ':' || NEW.position, NEW.recipient, NEW.position,
        login, message_id, correlation, contract, 'recipient.rejected', '', receipts.code, messages.received_at,
        iif(settled_at IS NULL, 'open', 'discarded') FROM messages, receipts WHERE number = NEW.message AND NEW.state = 'live'
        AND receipts.recipient = NEW.recipient AND receipts.position = NEW.position AND receipts.kind = 'rejected';
END;
CREATE TRIGGER dead_letter_of_entry_goes AFTER DELETE ON entries WHEN OLD.refused_at IS NOT NULL OR OLD.served_at IS NOT NULL BEGIN
    DELETE FROM dead_letters WHERE recipient = OLD.recipient AND position = OLD.position AND position IS NOT NULL;
END;

CREATE TRIGGER dead_letter_of_receipt_comes AFTER INSERT ON receipts WHEN NEW.kind = 'rejected' BEGIN
    INSERT INTO dead_letters (message, part, recipient, position, login, message_id, correlation, contract, code, place, said,
        received_at, state) SELECT number, 'receipt:' || NEW.recipient || ':' || NEW.position, NEW.recipient, NEW.position,
        login, message_id, correlation, messages.contract, 'recipient.rejected', '', NEW.code, messages.received_at,
        iif(NEW.settled_at IS NULL, 'open', 'discarded') FROM entries JOIN messages ON number = entries.message
        WHERE entries.recipient = NEW.recipient AND entries.position = NEW.position AND entries.state = 'live';
END;
CREATE TRIGGER dead_letter_of_receipt_changes AFTER UPDATE OF settled_at ON receipts WHEN NEW.kind = 'rejected' BEGIN
    UPDATE dead_letters SET state = iif(NEW.settled_at IS NULL, 'open', 'discarded') WHERE recipient = NEW.recipient
        AND position = NEW.position AND position IS NOT NULL AND part LIKE 'receipt:%';
END;
CREATE TRIGGER dead_letter_of_receipt_goes AFTER DELETE ON receipts WHEN OLD.kind = 'rejected' BEGIN
    DELETE FROM dead_letters WHERE recipient = OLD.recipient AND position = OLD.position AND position IS NOT NULL
        AND part LIKE 'receipt:%';
END;

-- What is there already.
INSERT INTO dead_letters (message, part, login, message_id, correlation, contract, code, place, received_at, state)
    SELECT number, '', login, message_id, correlation, contract, message_causes.code, place, received_at,
    iif(discarded_at IS NULL, 'open', 'discarded') FROM messages JOIN message_causes ON message = number
    WHERE state = 'refused' AND NOT restricted;
INSERT INTO dead_letters (message, part, recipient, login, message_id, correlation, contract, code, place, received_at, state)
    SELECT number, 'leg:' || recipient, recipient, login, message_id, correlation, contract, coalesce(code, 'journey.failed'), '',
    received_at, iif(discarded_at IS NULL, 'open', 'discarded')
    FROM legs JOIN messages ON number = message WHERE legs.state = 'refused';
INSERT INTO dead_letters (message, part, recipient, position, login, message_id, correlation, contract, code, place, received_at,
    state) SELECT number, 'entry:' || recipient || ':' || position, recipient, position, login, message_id, correlation,
    messages.contract, 'relay.refused', '', received_at, iif(entries.discarded_at IS NULL, 'open', 'discarded')
    FROM entries JOIN messages ON number = message WHERE entries.state = 'live' AND refused_at IS NOT NULL;
INSERT INTO dead_letters (message, part, recipient, position, login, message_id, correlation, contract, code, place, said,
    received_at, state) SELECT number, 'receipt:' || entries.recipient || ':' || entries.position, entries.recipient,
    entries.position, login, message_id, correlation, messages.contract, 'recipient.rejected', '', receipts.code,
    messages.received_at, iif(settled_at IS NULL, 'open', 'discarded') FROM receipts JOIN entries
    ON entries.recipient = receipts.recipient AND entries.position = receipts.position JOIN messages
    ON number = entries.message WHERE entries.state = 'live' AND receipts.kind = 'rejected';
