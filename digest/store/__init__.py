"""All SQL, in one room: each file holds the statements about one thing, as functions over a connection."""
