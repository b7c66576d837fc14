-- A new code replaces the open ones of the same person, which are found by this.
CREATE INDEX sign_in_codes_open ON sign_in_codes (person_id) WHERE spent_at IS NULL;
