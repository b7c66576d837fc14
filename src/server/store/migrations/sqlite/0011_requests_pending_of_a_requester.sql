-- What somebody has open is asked at every filing and every status, whatever the length of their history.
CREATE INDEX requests_pending_by_requester ON requests (requester_id) WHERE state = 'pending';
