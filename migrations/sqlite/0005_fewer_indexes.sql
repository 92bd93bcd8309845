-- Only the numbers of waiting entries asked this index, and each entry that was served was written anew in all its indexes.
DROP INDEX entries_unserved;
