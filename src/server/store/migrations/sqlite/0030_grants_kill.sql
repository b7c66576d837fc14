-- How far the sessions of a grant that ended early are shut out, as JSON.
ALTER TABLE grants ADD COLUMN kill TEXT;
