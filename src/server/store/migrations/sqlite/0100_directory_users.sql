-- People as directories push them. What must be unique among those who are there is null once they are deleted: whoever
-- was deleted is still known to have left.
CREATE TABLE directory_users (
    source      TEXT   NOT NULL,
    id          TEXT   NOT NULL,
    user_name   TEXT   NOT NULL,
    user_key    TEXT,
    external_id TEXT,
    join_key    TEXT,
    active      BIGINT NOT NULL,
    details     TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    joined_at   BIGINT NOT NULL,
    returned_at BIGINT,
    deleted_at  BIGINT,
    version     BIGINT NOT NULL,
    PRIMARY KEY (source, id),
    UNIQUE (source, user_key),
    UNIQUE (source, join_key)
);
