"""What more or less of an entry would mean for a profile."""
