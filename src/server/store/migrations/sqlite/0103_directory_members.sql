-- Who is in which group since when: looked up from below at every call, listed from above for the directory.
CREATE TABLE directory_members (
    member_id TEXT   NOT NULL,
    group_id  TEXT   NOT NULL,
    is_group  BIGINT NOT NULL,
    since     BIGINT NOT NULL,
    PRIMARY KEY (member_id, group_id),
    UNIQUE (group_id, member_id)
);
