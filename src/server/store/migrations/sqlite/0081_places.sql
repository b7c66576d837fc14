-- When it was looked last who has a permission set in an account: what came while nobody looked is given time.
CREATE TABLE places (
    name      TEXT   NOT NULL PRIMARY KEY,
    looked_at BIGINT NOT NULL
);
