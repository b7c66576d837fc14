-- What a system with a quota takes back waits by itself: 2 is its urgency now, and 3 that of what gives. Rows of before
-- that take something back (0) keep theirs; they only go ahead of those.
UPDATE outbox SET urgency = 3 WHERE kind IN ('activate', 'give');
