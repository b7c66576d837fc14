-- A claim takes what is urgent first without reading all that is due in the far future.
CREATE INDEX outbox_by_urgency ON outbox (urgency, due_at, id);
