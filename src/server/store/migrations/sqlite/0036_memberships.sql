-- What grants hold leases on. The version keeps two grants from giving and taking at once; in_use follows from the rest.
CREATE TABLE memberships (
    name         TEXT   NOT NULL PRIMARY KEY,
    binding      TEXT   NOT NULL,
    provider_user TEXT NOT NULL,
    state        TEXT   NOT NULL,
    pre_existing BIGINT NOT NULL,
    leases       TEXT   NOT NULL,
    in_use       BIGINT NOT NULL,
    busy_until   BIGINT,
    since        BIGINT NOT NULL,
    version      BIGINT NOT NULL
);
