-- The same of a grant: a lock finds what is open under it.
ALTER TABLE grants ADD COLUMN same_access TEXT;
