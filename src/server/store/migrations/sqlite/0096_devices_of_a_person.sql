-- A person is told which devices were enrolled for them; their first one is looked for at a start.
CREATE INDEX devices_of_a_person ON devices (person_id);
