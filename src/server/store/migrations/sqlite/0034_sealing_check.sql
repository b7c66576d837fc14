-- A value that only the right sealing key opens: a wrong one is told at the start, before a secret is needed.
CREATE TABLE sealing_check (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed  TEXT,
    set_at  BIGINT NOT NULL,
    version BIGINT NOT NULL
);
