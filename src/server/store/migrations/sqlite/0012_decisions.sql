-- One person decides once on one request, whatever comes in at the same time.
CREATE TABLE decisions (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    request_id TEXT    NOT NULL REFERENCES requests (id),
    person_id  TEXT    NOT NULL REFERENCES people (id),
    verdict    TEXT    NOT NULL,
    stage      BIGINT  NOT NULL,
    comment    TEXT,
    digest     TEXT    NOT NULL,
    device_id  TEXT    NOT NULL,
    decided_at BIGINT  NOT NULL,
    UNIQUE (request_id, person_id)
);
