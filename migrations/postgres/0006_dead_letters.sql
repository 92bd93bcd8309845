-- Dead letters as the operators' desk looks through them: a row for each, kept by triggers, so that no act can forget it and
-- what is shown is never behind. Restricted letters have no row; neither has a diverted report, whose legs are gone. Nothing that
-- stands here is of a content: ids, codes, and places in the contract's own names.
CREATE TABLE dead_letters (
    message     bigint NOT NULL,
    part        text   COLLATE "C" NOT NULL,   -- '' for the message as a whole, or which leg, entry or receipt of it
    recipient   text,                          -- whose leg or entry
    position    bigint,                        -- which entry
    login       text   COLLATE "C" NOT NULL,
    message_id  uuid   NOT NULL,
    correlation uuid,
    contract    text   COLLATE "C" NOT NULL,
    code        text   COLLATE "C" NOT NULL,
    place       text   COLLATE "C" NOT NULL,   -- of the first violation, without the order of list items; '' where there is none
    said        text,                          -- the recipient's own code
    received_at bigint NOT NULL,
    state       text   COLLATE "C" NOT NULL,   -- open, or discarded
    PRIMARY KEY (message, part)
);

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
    operator text NOT NULL,
    message  bigint NOT NULL,
    place    text NOT NULL,
    until    bigint NOT NULL,
    PRIMARY KEY (operator, message, place)
);

-- How many open letters each cause has. Transactions only ever add changes, so that none waits for another; they are folded
-- into the groups by whoever looks.
CREATE TABLE dead_letter_groups (
    login    text COLLATE "C" NOT NULL,
    code     text COLLATE "C" NOT NULL,
    contract text COLLATE "C" NOT NULL,
    place    text COLLATE "C" NOT NULL,
    letters  bigint NOT NULL,
    PRIMARY KEY (login, code, contract, place)
) WITH (fillfactor = 50);

CREATE TABLE dead_letter_changes (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login    text COLLATE "C" NOT NULL,
    code     text COLLATE "C" NOT NULL,
    contract text COLLATE "C" NOT NULL,
    place    text COLLATE "C" NOT NULL,
    change   bigint NOT NULL
);

CREATE FUNCTION dead_letter_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state = 'open' THEN
        INSERT INTO dead_letter_changes (login, code, contract, place, change)
            VALUES (OLD.login, OLD.code, OLD.contract, OLD.place, -1);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state = 'open' THEN
        INSERT INTO dead_letter_changes (login, code, contract, place, change)
            VALUES (NEW.login, NEW.code, NEW.contract, NEW.place, 1);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION dead_letter_of_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM dead_letters WHERE message = OLD.number AND part = '';
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state = 'refused' AND NOT NEW.restricted THEN
        INSERT INTO dead_letters (message, part, login, message_id, correlation, contract, code, place, received_at, state)
            VALUES (NEW.number, '', NEW.login, NEW.message_id, NEW.correlation, NEW.contract,
                coalesce(NEW.violations::json -> 0 ->> 0, 'journey.failed'),
                regexp_replace(coalesce(NEW.violations::json -> 0 ->> 1, ''), '\[[0-9]+\]', '[]', 'g'),
                NEW.received_at, CASE WHEN NEW.discarded_at IS NULL THEN 'open' ELSE 'discarded' END);
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.discarded_at IS DISTINCT FROM NEW.discarded_at THEN
        UPDATE dead_letters SET state = CASE WHEN NEW.discarded_at IS NULL THEN 'open' ELSE 'discarded' END
            WHERE message = NEW.number AND part LIKE 'leg:%';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION dead_letter_of_leg() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM dead_letters WHERE message = OLD.message AND part = 'leg:' || OLD.recipient;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.state = 'refused' THEN
        INSERT INTO dead_letters (message, part, recipient, login, message_id, correlation, contract, code, place, received_at,
            state) SELECT number, 'leg:' || NEW.recipient, NEW.recipient, login, message_id, correlation, contract,
            coalesce(NEW.code, 'journey.failed'), '', received_at,
            CASE WHEN discarded_at IS NULL THEN 'open' ELSE 'discarded' END FROM messages WHERE number = NEW.message;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION dead_letter_of_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM dead_letters WHERE recipient = OLD.recipient AND position = OLD.position;
    IF TG_OP <> 'DELETE' AND NEW.state = 'live' THEN
        IF NEW.refused_at IS NOT NULL THEN
            INSERT INTO dead_letters (message, part, recipient, position, login, message_id, correlation, contract, code, place,
                received_at, state) SELECT number, 'entry:' || NEW.recipient || ':' || NEW.position, NEW.recipient, NEW.position,
                login, message_id, correlation, contract, 'relay.refused', '', received_at,
                CASE WHEN NEW.discarded_at IS NULL THEN 'open' ELSE 'discarded' END FROM messages WHERE number = NEW.message;
        END IF;
        INSERT INTO dead_letters (message, part, recipient, position, login, message_id, correlation, contract, code, place, said,
            received_at, state) SELECT number, 'receipt:' || NEW.recipient || ':' || NEW.position, NEW.recipient, NEW.position,
            login, message_id, correlation, contract, 'recipient.rejected', '', receipts.code, messages.received_at,
            CASE WHEN settled_at IS NULL THEN 'open' ELSE 'discarded' END FROM messages, receipts WHERE number = NEW.message
            AND receipts.recipient = NEW.recipient AND receipts.position = NEW.position AND receipts.kind = 'rejected';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION dead_letter_of_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM dead_letters WHERE recipient = OLD.recipient AND position = OLD.position
            AND part = 'receipt:' || OLD.recipient || ':' || OLD.position;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO dead_letters (message, part, recipient, position, login, message_id, correlation, contract, code, place, said,
            received_at, state) SELECT number, 'receipt:' || NEW.recipient || ':' || NEW.position, NEW.recipient, NEW.position,
            login, message_id, correlation, messages.contract, 'recipient.rejected', '', NEW.code, messages.received_at,
            CASE WHEN NEW.settled_at IS NULL THEN 'open' ELSE 'discarded' END FROM entries JOIN messages
            ON number = entries.message WHERE entries.recipient = NEW.recipient AND entries.position = NEW.position
            AND entries.state = 'live';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER dead_letter_counted AFTER INSERT OR UPDATE OR DELETE ON dead_letters FOR EACH ROW
    EXECUTE FUNCTION dead_letter_counted();

CREATE TRIGGER dead_letter_comes AFTER INSERT ON messages FOR EACH ROW WHEN (NEW.state = 'refused')
    EXECUTE FUNCTION dead_letter_of_message();
CREATE TRIGGER dead_letter_changes AFTER UPDATE OF state, violations, restricted, discarded_at ON messages FOR EACH ROW
    WHEN (OLD.state = 'refused' OR NEW.state = 'refused' OR OLD.discarded_at IS DISTINCT FROM NEW.discarded_at)
    EXECUTE FUNCTION dead_letter_of_message();
CREATE TRIGGER dead_letter_goes AFTER DELETE ON messages FOR EACH ROW WHEN (OLD.state = 'refused')
    EXECUTE FUNCTION dead_letter_of_message();

CREATE TRIGGER dead_letter_comes AFTER INSERT ON legs FOR EACH ROW WHEN (NEW.state = 'refused')
    EXECUTE FUNCTION dead_letter_of_leg();
CREATE TRIGGER dead_letter_changes AFTER UPDATE OF state, code ON legs FOR EACH ROW
    WHEN ((OLD.state = 'refused' OR NEW.state = 'refused') AND (OLD.state, OLD.code) IS DISTINCT FROM (NEW.state, NEW.code))
    EXECUTE FUNCTION dead_letter_of_leg();
CREATE TRIGGER dead_letter_goes AFTER DELETE ON legs FOR EACH ROW WHEN (OLD.state = 'refused')
    EXECUTE FUNCTION dead_letter_of_leg();

-- Of what nobody has refused and nobody was served there is no letter.
CREATE TRIGGER dead_letter_changes AFTER UPDATE OF state, message, refused_at, discarded_at ON entries FOR EACH ROW
    WHEN ((OLD.refused_at IS NOT NULL OR NEW.refused_at IS NOT NULL OR OLD.served_at IS NOT NULL)
        AND (OLD.state, OLD.message, OLD.refused_at, OLD.discarded_at)
        IS DISTINCT FROM (NEW.state, NEW.message, NEW.refused_at, NEW.discarded_at))
    EXECUTE FUNCTION dead_letter_of_entry();
CREATE TRIGGER dead_letter_goes AFTER DELETE ON entries FOR EACH ROW
    WHEN (OLD.refused_at IS NOT NULL OR OLD.served_at IS NOT NULL) EXECUTE FUNCTION dead_letter_of_entry();

CREATE TRIGGER dead_letter_comes AFTER INSERT ON receipts FOR EACH ROW WHEN (NEW.kind = 'rejected')
    EXECUTE FUNCTION dead_letter_of_receipt();
CREATE TRIGGER dead_letter_changes AFTER UPDATE OF settled_at ON receipts FOR EACH ROW WHEN (NEW.kind = 'rejected')
    EXECUTE FUNCTION dead_letter_of_receipt();
CREATE TRIGGER dead_letter_goes AFTER DELETE ON receipts FOR EACH ROW WHEN (OLD.kind = 'rejected')
    EXECUTE FUNCTION dead_letter_of_receipt();

-- What is there already: a row that is changed to what it is would fire nothing, so the rows are written here.
INSERT INTO dead_letters (message, part, login, message_id, correlation, contract, code, place, received_at, state)
    SELECT number, '', login, message_id, correlation, contract, coalesce(violations::json -> 0 ->> 0, 'journey.failed'),
    regexp_replace(coalesce(violations::json -> 0 ->> 1, ''), '\[[0-9]+\]', '[]', 'g'), received_at,
    CASE WHEN discarded_at IS NULL THEN 'open' ELSE 'discarded' END FROM messages WHERE state = 'refused' AND NOT restricted;
INSERT INTO dead_letters (message, part, recipient, login, message_id, correlation, contract, code, place, received_at, state)
    SELECT number, 'leg:' || recipient, recipient, login, message_id, correlation, contract, coalesce(code, 'journey.failed'), '',
    received_at, CASE WHEN discarded_at IS NULL THEN 'open' ELSE 'discarded' END
    FROM legs JOIN messages ON number = message WHERE legs.state = 'refused';
INSERT INTO dead_letters (message, part, recipient, position, login, message_id, correlation, contract, code, place, received_at,
    state) SELECT number, 'entry:' || recipient || ':' || position, recipient, position, login, message_id, correlation,
    messages.contract, 'relay.refused', '', received_at, CASE WHEN entries.discarded_at IS NULL THEN 'open' ELSE 'discarded' END
    FROM entries JOIN messages ON number = message WHERE entries.state = 'live' AND refused_at IS NOT NULL;
INSERT INTO dead_letters (message, part, recipient, position, login, message_id, correlation, contract, code, place, said,
    received_at, state) SELECT number, 'receipt:' || entries.recipient || ':' || entries.position, entries.recipient,
    entries.position, login, message_id, correlation, messages.contract, 'recipient.rejected', '', receipts.code,
    messages.received_at, CASE WHEN settled_at IS NULL THEN 'open' ELSE 'discarded' END FROM receipts JOIN entries
    ON entries.recipient = receipts.recipient AND entries.position = receipts.position JOIN messages
    ON number = entries.message WHERE entries.state = 'live' AND receipts.kind = 'rejected';
