"""Jobs of the wiring itself."""
