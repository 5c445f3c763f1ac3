"""Markov jump processes: exact and leaping simulation of counts, batch first."""
