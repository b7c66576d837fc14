-- What was told of drift is looked for at every start, among all that ever happened.
CREATE INDEX audit_events_drift ON audit_events (seq) WHERE type = 'drift.found';
