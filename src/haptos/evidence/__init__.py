"""Claims, sources and quantities: load, lint, query, cite, judge."""
