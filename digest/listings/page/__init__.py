"""The lines of a trending-papers page: which are header, title and abstract."""
