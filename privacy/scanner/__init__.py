"""Finds personal values wherever and however they hide: the proof that an erasure erased.

A plain search of a dump finds nothing while base64, pickles, deflated PDF streams and JSON escapes still hold
the name. This library undoes such wrappings, nested to a depth of four, and searches every layer. It is pure:
no Django, nothing is unpickled or executed, and what it returns never contains a value it looked for.
"""

from .engine import Scanner
from .hiding import encodings
from .results import Counts, Hit
from .selftest import self_test

__all__ = ["Counts", "Hit", "Scanner", "encodings", "self_test"]
