-- Not before when a request is to start, 0 where it starts once it is approved: two may wait for different days.
ALTER TABLE requests ADD COLUMN starts_at BIGINT NOT NULL DEFAULT 0;
