"""Units, identifiers, located files, frozen base specs, settings and hashing."""
