-- Who leaves loses every session at once.
CREATE INDEX sessions_of_a_person ON sessions (person_id) WHERE ended_at IS NULL;
