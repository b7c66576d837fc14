-- Every call looks a session up by the hash of its token; the token itself is never stored.
CREATE TABLE sessions (
    id          TEXT   NOT NULL PRIMARY KEY,
    token_hash  TEXT   NOT NULL UNIQUE,
    person_id   TEXT   NOT NULL REFERENCES people (id),
    device_id   TEXT   NOT NULL,
    key_storage TEXT   NOT NULL,
    method      TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    version     BIGINT NOT NULL
);
