"""Numbers of the literature that are only checked: each expressed as data, simulated, set beside what was published."""
