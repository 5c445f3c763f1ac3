"""The assays of the bench: protocol to readout, with noise as the bench has it."""
