"""Faults below HTTP, which the app asks its server for: a lost, cut, dripping or silent connection."""

from dataclasses import dataclass, field
from typing import Any

ENVIRON_KEY = "simulator.transport"
KINDS = frozenset({"timeout", "cut", "reset", "slow"})


@dataclass
class Transport:
    """The server puts one into the environ; the app fills it in. Empty kind: answer as usual."""

    kind: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def order(environ: dict[str, Any], kind: str, options: dict[str, Any]) -> None:
    """Ask the server for a fault. In-process callers, who have no socket, get their client's error."""
    transport = environ.get(ENVIRON_KEY)
    if transport is not None:
        transport.kind, transport.options = kind, options
    elif kind == "timeout":
        raise TimeoutError("simulated: no answer")
    elif kind in ("cut", "reset"):
        raise ConnectionResetError("simulated: connection lost")
