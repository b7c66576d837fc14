-- What was told of drift and of accounts that left is looked for at every start, among all that ever happened.
CREATE INDEX audit_events_told ON audit_events (seq) WHERE type IN ('drift.found', 'account.left', 'account.refused');
