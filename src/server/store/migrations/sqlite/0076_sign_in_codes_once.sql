-- One sign-in elsewhere gives one code, whichever replica finishes it.
CREATE UNIQUE INDEX sign_in_codes_once ON sign_in_codes (sign_in) WHERE sign_in IS NOT NULL;
