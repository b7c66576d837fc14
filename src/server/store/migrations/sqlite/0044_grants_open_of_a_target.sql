-- A lock on a target ends what is open on it.
CREATE INDEX grants_open_of_a_target ON grants (target, seq) WHERE is_open = 1;
