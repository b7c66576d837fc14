-- A person is (issuer, subject), which never change; ids travel to AWS, names are for display.
CREATE TABLE people (
    id      TEXT   NOT NULL PRIMARY KEY,
    issuer  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    since   BIGINT NOT NULL,
    UNIQUE (issuer, subject)
);
