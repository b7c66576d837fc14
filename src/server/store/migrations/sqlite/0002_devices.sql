-- One device may be enrolled for several people, so that approving one's own request from it can be refused.
CREATE TABLE devices (
    id          TEXT   NOT NULL,
    person_id   TEXT   NOT NULL REFERENCES people (id),
    public_key  TEXT   NOT NULL,
    key_storage TEXT   NOT NULL,
    enrolled_at BIGINT NOT NULL,
    PRIMARY KEY (id, person_id)
);
