-- Who asked for somebody else sees what became of it.
CREATE INDEX grants_open_by_requester ON grants (requester_id) WHERE is_open = 1;
