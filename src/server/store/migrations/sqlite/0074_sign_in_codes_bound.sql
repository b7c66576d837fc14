-- A code that came of signing in elsewhere counts for the terminal that asked alone: which one, as JSON.
ALTER TABLE sign_in_codes ADD COLUMN bound TEXT;
