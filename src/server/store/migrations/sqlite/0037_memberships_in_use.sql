-- Reconciling walks what is in use, page by page; what is over costs nothing.
CREATE INDEX memberships_in_use ON memberships (name) WHERE in_use = 1;
