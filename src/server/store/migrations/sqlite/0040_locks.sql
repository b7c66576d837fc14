-- One row for each scope that was ever locked: `all`, `person:ID`, `target:NAME`. Who set and lifted it before is evidence.
CREATE TABLE locks (
    scope      TEXT   NOT NULL PRIMARY KEY,
    set_by     TEXT   NOT NULL REFERENCES people (id),
    reason     TEXT   NOT NULL,
    since      BIGINT NOT NULL,
    lifting_by TEXT,
    lifting_at BIGINT,
    lifted_by  TEXT,
    lifted_at  BIGINT,
    version    BIGINT NOT NULL
);
