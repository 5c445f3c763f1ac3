"""Calibration, ensembles, sensitivity, hypothesis discrimination."""
