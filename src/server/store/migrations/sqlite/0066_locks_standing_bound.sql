-- Every request and mint looks for a lock on what is bound alike.
CREATE INDEX locks_standing_bound ON locks (bound_to) WHERE lifted_at IS NULL;
