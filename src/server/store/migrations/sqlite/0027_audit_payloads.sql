-- Personal data sits apart under a salt, so that it can be erased without breaking the tree.
CREATE TABLE audit_payloads (
    seq     INTEGER NOT NULL PRIMARY KEY REFERENCES audit_events (seq),
    salt    TEXT   NOT NULL,
    payload TEXT   NOT NULL
);
