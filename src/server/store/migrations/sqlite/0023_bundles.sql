-- Every policy bundle that a row names stays, so that old decisions can be asked again.
CREATE TABLE bundles (
    hash    TEXT   NOT NULL PRIMARY KEY,
    files   TEXT   NOT NULL,
    kept_at BIGINT NOT NULL
);
