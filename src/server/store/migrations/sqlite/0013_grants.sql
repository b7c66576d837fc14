-- The row is the intent to revoke: ends_at is durable before the first outside call. is_open follows from state.
CREATE TABLE grants (
    seq                INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id                 TEXT    NOT NULL UNIQUE,
    request_id         TEXT    NOT NULL UNIQUE REFERENCES requests (id),
    requester_id       TEXT    NOT NULL REFERENCES people (id),
    beneficiary_id     TEXT    NOT NULL REFERENCES people (id),
    target             TEXT    NOT NULL,
    narrowed_to        TEXT    NOT NULL,
    state              TEXT    NOT NULL,
    is_open            BIGINT  NOT NULL,
    created_at         BIGINT  NOT NULL,
    starts_at          BIGINT  NOT NULL,
    activate_by        BIGINT  NOT NULL,
    activated_at       BIGINT,
    anchor_at          BIGINT,
    ends_at            BIGINT,
    last_credential_at BIGINT,
    ended_at           BIGINT,
    cause              TEXT,
    detail             TEXT,
    ended_by           TEXT,
    version            BIGINT  NOT NULL
);
