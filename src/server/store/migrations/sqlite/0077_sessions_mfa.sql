-- When whoever signed in last showed a second factor, as their identity provider said.
ALTER TABLE sessions ADD COLUMN mfa_at BIGINT;
