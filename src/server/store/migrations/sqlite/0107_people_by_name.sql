-- Who locks somebody types the name that is shown; others of the same name are said beside it.
CREATE INDEX people_by_name ON people (lower(name));
