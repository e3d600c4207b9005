"""Signing in: passwords, lock-out, the second factor, sessions, and from where. Wiring: it records what happens."""
