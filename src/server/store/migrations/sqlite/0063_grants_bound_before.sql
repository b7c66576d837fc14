-- The same of grants that were there before.
UPDATE grants SET bound_to = (SELECT bound_to FROM requests WHERE requests.id = grants.request_id);
