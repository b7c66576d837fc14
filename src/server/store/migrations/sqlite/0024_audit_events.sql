-- The evidence: what the leaves of the tree are made of. Numbers have no gaps, so nothing can be left out unseen.
CREATE TABLE audit_events (
    seq          INTEGER NOT NULL PRIMARY KEY,
    ts           BIGINT NOT NULL,
    type         TEXT   NOT NULL,
    actor        TEXT   NOT NULL,
    request      TEXT,
    bundle_hash  TEXT,
    payload_hash TEXT   NOT NULL,
    leaf_hash    TEXT   NOT NULL
);
