-- Numbers go up by one: neither a gap nor INSERT OR REPLACE, which deletes past the other trigger, gets in.
CREATE TRIGGER audit_events_refuse_gaps BEFORE INSERT ON audit_events
WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit_events)
BEGIN
    SELECT RAISE(ABORT, 'audit events are numbered without gaps');
END;
