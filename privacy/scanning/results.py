"""What a scan answers: counts, and where something was found; never a value."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

SENTENCE = re.compile(
    r"(\d+) findings; (\d+) erased orders, (\d+) labels, (\d+) files checked; "
    r"(\d+) values of (\d+) orders searched in (\d+) places, (\d+) bytes, (\d+) decodings; (complete|in part)"
)


class Finding(NamedTuple):
    """`kind`: column, document, stray or probe. `place`: table.column, or storage:name. `order_id`: 0 where none is
    known. `path`: the decodings that led to it, outermost first, or the code of what is wrong."""

    kind: str
    place: str
    order_id: int
    path: tuple[str, ...] = ()


@dataclass
class Result:
    """Counts of one scan. `complete`: everything was looked at before the time budget ended, and nothing was capped.

    `at`: when it ended; `findings` are empty in a result that was read back, `found` says how many there were.
    """

    found: int = 0
    erased_orders: int = 0
    labels: int = 0
    files: int = 0
    values: int = 0
    orders: int = 0
    places: int = 0
    bytes: int = 0
    decodings: int = 0
    complete: bool = True
    at: datetime | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not self.found

    def add(self, finding: Finding) -> None:
        self.found += 1
        self.findings.append(finding)

    def sentence(self) -> str:
        """For the job's record; `read` reads it back."""
        return (
            f"{self.found} findings; {self.erased_orders} erased orders, {self.labels} labels, {self.files} files checked; "
            f"{self.values} values of {self.orders} orders searched in {self.places} places, {self.bytes} bytes, "
            f"{self.decodings} decodings; {'complete' if self.complete else 'in part'}"
        )

    @classmethod
    def read(cls, sentence: str, *, at: datetime) -> "Result | None":
        """The result behind a sentence; None where it is none."""
        if not (told := SENTENCE.fullmatch(sentence)):
            return None
        *counts, whole = told.groups()
        return cls(*map(int, counts), complete=whole == "complete", at=at)
