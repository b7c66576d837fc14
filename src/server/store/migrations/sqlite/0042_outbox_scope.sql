-- A lock leaves one row of work for all that it ends.
ALTER TABLE outbox ADD COLUMN scope TEXT;
