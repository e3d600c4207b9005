"""Text never leaves its box: it shrinks, then wraps, then is shortened."""

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from shipments.labels.fitting import LEADING, SMALLEST, fit, shortened

BOX = {"width": 200, "height": 100, "largest": 18, "floor": 10}


def typewriter(text: str, size: float) -> float:
    """Widths of a font whose signs are all as wide as 0.6 of the type size."""
    return len(text) * size * 0.6


def fitted(*lines: str):
    return fit(lines, **BOX, measure=typewriter)


def test_a_short_address_is_set_in_the_largest_type():
    assert fitted("Ann Poe", "1 Main St") == (18, ["Ann Poe", "1 Main St"])


def test_a_longer_line_shrinks_the_type_and_stays_one_row():
    size, rows = fitted("Ann Poe", "Residence of the Lime Trees")
    assert size == 12
    assert rows == ["Ann Poe", "Residence of the Lime Trees"]


def test_at_the_floor_a_line_wraps_between_words():
    assert fitted("Ann Poe", "Residence of the Old Lime Trees, Building C") == (
        10,
        ["Ann Poe", "Residence of the Old Lime Trees,", "Building C"],
    )


def test_a_word_wider_than_the_box_breaks_anywhere_and_loses_nothing():
    _, rows = fitted("81539 " + "Donaudampfschiff" * 4)
    assert "".join(rows).replace(" ", "") == "81539" + "Donaudampfschiff" * 4
    assert rows[0].startswith("81539 Donau")


def test_an_absurd_text_is_shortened_before_it_becomes_illegible():
    size, rows = fitted(*["long words " * 40] * 5, "JAPAN")
    assert size == SMALLEST
    assert rows[-1] == "JAPAN"
    assert [row.endswith("…") for row in rows] == [False, True] * 5 + [False]


@pytest.mark.parametrize("text", ["", "short", "x" * 500])
def test_a_shortened_line_fits_and_shows_that_something_is_missing(text):
    line = shortened(text, width=60, size=10, measure=typewriter)
    assert typewriter(line, 10) <= 60
    assert line == text or line.endswith("…")


@seed(1)
@settings(max_examples=150, deadline=None, database=None)
@given(st.lists(st.text(alphabet="ab 漢-", max_size=150), min_size=1, max_size=12))
def test_whatever_the_lines_all_rows_stay_in_the_box(lines):
    size, rows = fitted(*lines)
    assert len(rows) * size * LEADING <= BOX["height"] + 1e-9
    assert all(typewriter(row, size) <= BOX["width"] for row in rows)
    assert len(rows) >= len(lines)
