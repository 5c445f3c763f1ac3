"""Can a claim fail? Cutting the mechanisms that claims name, and floors that any model must beat."""
