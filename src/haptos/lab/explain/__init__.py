"""Why does the model say so? Which steps carry an effect, and which experiment would decide between two routes."""
