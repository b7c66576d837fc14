-- One for a target at a time: a request for next week stood in the way of asking today.
DROP INDEX requests_pending_once;
