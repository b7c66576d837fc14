-- A payload may be erased whole; rewriting one is no erasure.
CREATE TRIGGER audit_payloads_refuse_update BEFORE UPDATE ON audit_payloads
BEGIN
    SELECT RAISE(ABORT, 'audit payloads are never rewritten');
END;
