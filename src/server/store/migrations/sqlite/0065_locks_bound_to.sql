-- What a target was bound to when it was locked. A lock from before bears on its target alone until it is set again.
ALTER TABLE locks ADD COLUMN bound_to TEXT;
