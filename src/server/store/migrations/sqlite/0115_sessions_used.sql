-- When somebody last used a session: one that nobody used for long approves nothing.
ALTER TABLE sessions ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
