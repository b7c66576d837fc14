-- A repeated call is answered from the state: only the body's hash and the outcome's id are kept, never an answer.
CREATE TABLE idempotency (
    person_id  TEXT   NOT NULL REFERENCES people (id),
    call_key   TEXT   NOT NULL,
    body_hash  TEXT   NOT NULL,
    outcome    TEXT   NOT NULL,
    used_at    BIGINT NOT NULL,
    PRIMARY KEY (person_id, call_key)
);
