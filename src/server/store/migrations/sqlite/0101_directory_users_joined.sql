-- Every call asks whether its person has left, deleted people included.
CREATE INDEX directory_users_joined ON directory_users (source, external_id);
