"""Telling clients that something happened: ids only, signed, again until they say that they have it. Wiring: it reads
what the apps' rows say, and the apps know nothing of it."""
