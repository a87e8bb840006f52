"""XML, well-formed or not, to one small tree."""
