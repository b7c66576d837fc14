-- Status shows every attempt on a grant.
CREATE INDEX outbox_by_grant ON outbox (grant_id) WHERE grant_id IS NOT NULL;
