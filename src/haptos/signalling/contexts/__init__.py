"""Making cell contexts from data of the user."""
