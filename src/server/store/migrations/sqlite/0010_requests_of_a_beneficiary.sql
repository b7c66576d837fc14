-- Pages of what somebody benefits from, newest first, without sorting their history.
CREATE INDEX requests_by_beneficiary ON requests (beneficiary_id, seq);
