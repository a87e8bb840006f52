"""Why an entry was in somebody's edition or not."""
