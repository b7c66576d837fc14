-- Every mint, filing and status asks for what a person holds now; what ended stays out of the way.
CREATE INDEX grants_open ON grants (beneficiary_id, target) WHERE is_open = 1;
