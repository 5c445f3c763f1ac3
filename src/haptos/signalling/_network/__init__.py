"""The parts of a network: its class, how it is built, planned, brought to rest, read and stepped."""
