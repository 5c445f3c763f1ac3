"""One cell inside: modules of biology composed, compiled and simulated as a network."""
