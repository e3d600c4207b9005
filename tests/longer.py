"""Matrices whose every cell is tried by `make faults`, and a few of whose cells are by `make test`."""

from collections.abc import Collection, Iterable

import pytest


def sampled(values: Iterable, keep: Collection) -> list:
    """All the values; those not kept for every run are marked as long."""
    return [value if value in keep else pytest.param(value, marks=pytest.mark.long) for value in values]
