-- Two changes of one device at once: the second is decided again.
ALTER TABLE devices ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
