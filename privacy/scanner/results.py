"""What a scan answers: where something was found and by which decodings, never the value itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """One needle seen in one place. `path`: the decodings that led to it, outermost first; () is plain."""

    place: str
    needle_name: str
    path: tuple[str, ...] = ()


@dataclass(slots=True)
class Counts:
    """How much was looked at. `capped` above zero means something was left unread: no proof then."""

    places: int = 0
    bytes: int = 0
    decodings: int = 0
    capped: int = 0
