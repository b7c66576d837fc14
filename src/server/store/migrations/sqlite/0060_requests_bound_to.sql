-- What a request's target was bound to: `bound:ACCOUNT/ARN`, so that a lock on one target is found by all that are bound alike.
ALTER TABLE requests ADD COLUMN bound_to TEXT;
