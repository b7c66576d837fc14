-- Groups as directories push them. Two of one name, or of one id, could not be told apart.
CREATE TABLE directory_groups (
    source      TEXT   NOT NULL,
    id          TEXT   NOT NULL UNIQUE,
    name        TEXT   NOT NULL,
    name_key    TEXT,
    external_id TEXT,
    join_key    TEXT,
    created_at  BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    named_at    BIGINT NOT NULL,
    deleted_at  BIGINT,
    version     BIGINT NOT NULL,
    PRIMARY KEY (source, id),
    UNIQUE (source, name_key),
    UNIQUE (source, join_key)
);
