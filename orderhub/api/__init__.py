"""The native API as a whole: who is let in, which addresses there are, and its description."""
