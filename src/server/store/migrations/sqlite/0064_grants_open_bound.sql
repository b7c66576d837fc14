-- What a lock on a target ends; what ended stays out of the way.
CREATE INDEX grants_open_bound ON grants (bound_to, seq) WHERE is_open = 1;
