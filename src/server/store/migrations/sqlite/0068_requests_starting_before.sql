-- Of requests that were there before only one could wait for a target: any start tells it apart from what is asked later.
UPDATE requests SET starts_at = COALESCE(CAST(strftime('%s', json_extract(body, '$.start')) AS INTEGER) * 1000, 0)
    WHERE state = 'pending' AND json_valid(body);
