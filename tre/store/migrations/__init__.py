"""The history of the tables, oldest first: a released migration is never changed."""
