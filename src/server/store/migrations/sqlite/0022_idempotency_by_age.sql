-- Keys promise 24 hours and are forgotten by age.
CREATE INDEX idempotency_by_age ON idempotency (used_at);
