-- Two filings at once must not both pass: the second one meets this, loads again and joins the first.
CREATE UNIQUE INDEX requests_pending_once ON requests (beneficiary_id, target, starts_at) WHERE state = 'pending';
