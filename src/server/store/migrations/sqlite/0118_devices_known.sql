-- Until when a device is known: by its key alone it signs in, and a code on it waits no day. Of what was enrolled before, nobody
-- knows whether it was taken back.
ALTER TABLE devices ADD COLUMN known_until BIGINT NOT NULL DEFAULT 0;
