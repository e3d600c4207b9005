"""Whether what Amazon says of a product replaces what we have. Pure."""

from typing import TypeVar

from stores.models.settings import Overwrite

T = TypeVar("T")


def accepted(policy: str, kept: T, offered: T) -> T:
    """The value to keep, under one of the policies of `Overwrite`.

    Nothing offered never replaces anything. Empty is what is false: no text, no weight, no dimensions.
    """
    match policy:
        case Overwrite.ALWAYS:
            return offered or kept
        case Overwrite.IF_EMPTY:
            return kept or offered
        case _never:
            return kept
