-- The worker sleeps until the first row is due.
CREATE INDEX outbox_by_due ON outbox (due_at);
