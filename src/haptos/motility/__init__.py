"""One cell in motion; so far a reduced model of how cells cross a barrier."""
