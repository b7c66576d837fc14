-- Whoever signs out everywhere, and an admin who looks, asks for the sessions of a person that are not over.
CREATE INDEX sessions_of_a_person ON sessions (person_id) WHERE ended_at IS NULL;
