-- The code itself is never stored: its hash finds it, once.
CREATE TABLE sign_in_codes (
    code_hash  TEXT   NOT NULL PRIMARY KEY,
    person_id  TEXT   NOT NULL REFERENCES people (id),
    expires_at BIGINT NOT NULL,
    spent_at   BIGINT,
    version    BIGINT NOT NULL
);
