-- A lock on a target ends what is bound alike, whatever its target is called.
ALTER TABLE grants ADD COLUMN bound_to TEXT;
