-- After five wrong tries in its person's name a code counts no more.
ALTER TABLE sign_in_codes ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
