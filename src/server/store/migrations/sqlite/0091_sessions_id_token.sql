-- What tells the token apart that a workload brought: a hash, never the token.
ALTER TABLE sessions ADD COLUMN id_token TEXT;
