-- What calls nobody, what shuts sessions out, what lets go and what gives wait in rooms of their own: each row has the
-- urgency that its kind has now.
UPDATE outbox SET urgency = CASE kind
    WHEN 'sweep' THEN 0
    WHEN 'stop' THEN 0
    WHEN 'end' THEN 1
    WHEN 'take' THEN 1
    WHEN 'expire' THEN 2
    WHEN 'warn' THEN 2
    WHEN 'kill' THEN 3
    WHEN 'unkill' THEN 4
    WHEN 'let_go' THEN 5
    WHEN 'oust' THEN 5
    ELSE 6
END;
