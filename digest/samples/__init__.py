"""Sample listings and a configuration in our own words, for the demo and for the first day's word statistics."""
