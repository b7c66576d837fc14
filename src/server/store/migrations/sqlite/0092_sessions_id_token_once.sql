-- One token opens one session, whichever replica it is brought to.
CREATE UNIQUE INDEX sessions_id_token_once ON sessions (id_token) WHERE id_token IS NOT NULL;
