-- Body and frozen are written once, as JSON, because approvers agree to those very bytes; seq is the order of filing.
CREATE TABLE requests (
    seq            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id             TEXT    NOT NULL UNIQUE,
    requester_id   TEXT    NOT NULL REFERENCES people (id),
    beneficiary_id TEXT    NOT NULL REFERENCES people (id),
    target         TEXT    NOT NULL,
    body           TEXT    NOT NULL,
    digest         TEXT    NOT NULL,
    frozen         TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    automatic      BIGINT  NOT NULL,
    filed_at       BIGINT  NOT NULL,
    filed_from     TEXT    NOT NULL,
    expires_at     BIGINT  NOT NULL,
    closed_at      BIGINT,
    version        BIGINT  NOT NULL
);
