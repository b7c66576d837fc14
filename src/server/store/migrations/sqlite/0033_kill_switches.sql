-- One writer a role: the version counts changes of what is to stand in its policy, written is the one that does.
CREATE TABLE kill_switches (
    role_arn      TEXT   NOT NULL PRIMARY KEY,
    version       BIGINT NOT NULL,
    written       BIGINT NOT NULL DEFAULT 0,
    denied_before BIGINT,
    held_by       TEXT,
    held_until    BIGINT
);
