-- A lock on everything ends what is open, oldest first; what ended stays out of the way.
CREATE INDEX grants_open_by_age ON grants (seq) WHERE is_open = 1;
