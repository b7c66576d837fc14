-- Targets in many accounts that are the same access, each name between two spaces: a lock on one of them bears on it.
ALTER TABLE requests ADD COLUMN same_access TEXT;
