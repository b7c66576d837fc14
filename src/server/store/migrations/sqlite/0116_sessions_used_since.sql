-- Of sessions that were there before it is known that somebody opened them.
UPDATE sessions SET used_at = created_at;
