-- Which enrolled workload it is, by which claims, and who started it, as JSON; nothing for a person.
ALTER TABLE people ADD COLUMN workload TEXT;
