"""The search for what an erasure left behind, on a living installation; see privacy.scanning.running."""

from .results import Finding, Result
from .running import last_result, run

__all__ = ["Finding", "Result", "last_result", "run"]
