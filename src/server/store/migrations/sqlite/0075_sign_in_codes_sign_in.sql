-- Which sign-in elsewhere it came of: the hash of its state.
ALTER TABLE sign_in_codes ADD COLUMN sign_in TEXT;
