-- Old codes are swept away once a minute.
CREATE INDEX sign_in_codes_by_age ON sign_in_codes (expires_at);
