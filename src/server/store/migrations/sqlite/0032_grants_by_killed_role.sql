-- A role's policy is computed from every grant that is to stand in it.
CREATE INDEX grants_by_killed_role ON grants (killed_role) WHERE killed_role IS NOT NULL;
