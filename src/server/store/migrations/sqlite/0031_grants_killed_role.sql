-- The role whose policy is to shut its sessions out, while it is to. Follows from kill.
ALTER TABLE grants ADD COLUMN killed_role TEXT;
