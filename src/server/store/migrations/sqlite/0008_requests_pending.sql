-- The inbox reads pending requests in the order of filing, whatever the length of the history.
CREATE INDEX requests_pending ON requests (seq) WHERE state = 'pending';
