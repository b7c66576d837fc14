-- Every list shows the locks that stand; those that were lifted stay out of the way.
CREATE INDEX locks_standing ON locks (since, scope) WHERE lifted_at IS NULL;
