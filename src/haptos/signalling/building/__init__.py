"""From the library's modules, integrins and numbers to the text of one model."""
