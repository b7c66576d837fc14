-- Status shows for a while what is over and left access behind that was there before.
CREATE INDEX grants_remaining ON grants (ended_at)
    WHERE is_open = 0 AND detail = 'access remains: it was there before jit gave it';
