-- Keys of ours as issuer. The private half is sealed, and forgotten when the key is removed; the rest stays as evidence.
CREATE TABLE issuer_keys (
    id           TEXT   NOT NULL PRIMARY KEY,
    number       BIGINT NOT NULL UNIQUE,
    issuer       TEXT   NOT NULL,
    x            TEXT   NOT NULL,
    y            TEXT   NOT NULL,
    sealed       TEXT,
    made_at      BIGINT NOT NULL,
    published_at BIGINT,
    retired_at   BIGINT,
    removed_at   BIGINT,
    version      BIGINT NOT NULL
);
