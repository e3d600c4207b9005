"""What canary runs share."""

import pytest

from tests.end_to_end import canary


@pytest.fixture
def readable(settings) -> None:
    """Personal columns and files unencrypted: an erasure is proven by what it overwrites, not by keys it destroys."""
    settings.ENCRYPT_PERSONAL_DATA = False


@pytest.fixture
def log(readable):
    lines = canary.Lines()
    before = lines.attach()
    yield lines
    lines.detach(before)
