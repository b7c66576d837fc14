-- Status shows what is over while a credential of it still works; what is long over stays out of the way.
CREATE INDEX grants_outlived ON grants (last_credential_at) WHERE is_open = 0;
