-- The same of requests that were there before: a binding is a role's or a permission set's.
UPDATE requests SET bound_to = 'bound:' || json_extract(body, '$.binding.account') || '/'
    || COALESCE(json_extract(body, '$.binding.role_arn'), json_extract(body, '$.binding.permission_set_arn'))
    WHERE json_valid(body);
