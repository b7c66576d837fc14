-- Whose call it is that busy_until speaks of: only that one says when it is over.
ALTER TABLE memberships ADD COLUMN busy_by TEXT;
