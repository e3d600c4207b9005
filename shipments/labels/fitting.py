"""Making text fit a box: shrink to a floor, then wrap, and only then shorten. Lengths in pt."""

from collections.abc import Callable, Sequence

LEADING = 1.18  # line distance, of the type size
STEP = 0.5
SMALLEST = 6.0  # below this a 203 dpi thermal print is no longer legible

Measure = Callable[[str, float], float]  # width in pt of a text at a type size


def fit(
    lines: Sequence[str], *, width: float, height: float, largest: float, floor: float, measure: Measure
) -> tuple[float, list[str]]:
    """The type size, and the rows to draw, so that all stays within the box.

    A text too big even at SMALLEST has its long lines shortened with "…", never a line left out: the last
    lines of an address are the ones a parcel cannot do without.
    """
    size = largest
    while size > floor and not _as_they_are(lines, width, height, size, measure):
        size -= STEP
    while (rows := _wrapped(lines, width, size, measure)) and _tall(rows, size) > height and size > SMALLEST:
        size -= STEP
    most = len(rows)
    while _tall(rows, size) > height and most > 1:
        most = min(most - 1, 4)
        rows = _wrapped(lines, width, size, measure, most=most)
    if _tall(rows, size) > height:
        size = height / (len(rows) * LEADING)
    return size, rows


def shortened(line: str, *, width: float, size: float, measure: Measure) -> str:
    """The line, or its beginning and "…", whichever fits the width."""
    if measure(line, size) <= width:
        return line
    while line and measure(line + "…", size) > width:
        line = line[:-1]
    return line.rstrip() + "…"


def _as_they_are(lines: Sequence[str], width: float, height: float, size: float, measure: Measure) -> bool:
    return _tall(lines, size) <= height and all(measure(line, size) <= width for line in lines)


def _tall(rows: Sequence[str], size: float) -> float:
    return len(rows) * size * LEADING


def _wrapped(
    lines: Sequence[str], width: float, size: float, measure: Measure, *, most: int | None = None
) -> list[str]:
    rows = []
    for line in lines:
        pieces = _pieces(line, width, size, measure)
        if most and len(pieces) > most:
            rest = " ".join(pieces[most - 1 :])
            pieces = [*pieces[: most - 1], shortened(rest, width=width, size=size, measure=measure)]
        rows += pieces
    return rows


def _pieces(line: str, width: float, size: float, measure: Measure) -> list[str]:
    """The line broken at spaces; a word wider than the box, or Japanese, breaks between any two signs."""
    pieces = []
    while measure(line, size) > width and len(line) > 1:
        end = 1
        while measure(line[: end + 1], size) <= width:
            end += 1
        space = line.rfind(" ", 1, end + 1)
        next_word = line[space + 1 :].partition(" ")[0]
        cut = space if space > 0 and measure(next_word, size) <= width else end
        pieces.append(line[:cut].rstrip())
        line = line[cut:].lstrip()
    return [*pieces, line]
