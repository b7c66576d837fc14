-- Pages of somebody's requests, newest first, without sorting their history.
CREATE INDEX requests_by_requester ON requests (requester_id, seq);
