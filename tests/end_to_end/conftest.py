"""What canary runs share."""

import pytest

from tests.end_to_end import canary


@pytest.fixture
def log():
    lines = canary.Lines()
    before = lines.attach()
    yield lines
    lines.detach(before)
