"""Use cases: read an experiment, plan it, simulate it, compare it with the literature, report it."""
