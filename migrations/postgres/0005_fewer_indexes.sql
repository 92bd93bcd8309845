-- Only the numbers of waiting entries asked this index, and each entry that was served was written anew in all its indexes.
DROP INDEX entries_unserved;

-- Legs of a report are found by its messages.
DROP INDEX legs_report;

-- Which terms a leg rests on is asked of every entry that is shown, and of every leg when a service starts: reading it out of the
-- text each time was the largest part of both.
ALTER TABLE bases ADD COLUMN terms text GENERATED ALWAYS AS (text::json ->> 'terms') STORED;
