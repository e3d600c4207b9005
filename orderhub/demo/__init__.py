"""The demonstration: a whole shop in one command, against the built-in Amazon simulator."""
