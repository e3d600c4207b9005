"""A scanner that has never failed is no evidence: plants values in every known way, names those it missed."""

from collections.abc import Callable, Iterable
from itertools import product

from .engine import MAX_DEPTH, Scanner
from .hiding import FIRST_ONLY, chained, encodings, layers

SAMPLES = {
    "ascii": "ZQnm41QZ Jean Dupont",
    "accented": "ZQnm42QZ Élodie Œuvrard-Muñoz",
    "accented, no token": "Élodie Bérengère Çağlar",
    "kanji": "ZQnm43QZ 山田太郎",
    "kanji, no token": "東京都渋谷区山田太郎",
    "right to left": "ZQnm44QZ אברהם كريم",
    "emoji": "ZQnm45QZ 🎁👩‍🚀",
    "html": '<b title="x">ZQnm46QZ & Söhne</b>',
    "formula": "=HYPERLINK(ZQnm47QZ)",
    "token alone": "ZQnm48QZ",
    "long": "Apartment 12, staircase B, behind the bakery " * 20 + "ZQnm49QZ",
}
PAIR_SAMPLES = ("accented", "ascii", "emoji")


def self_test() -> list[str]:
    """The names of the ways of hiding, and of two of them together, that the scanner fails to find: none."""
    missed = [name for name, hide in encodings() if missed_samples(hide, SAMPLES)]
    for number, (name, hide) in enumerate(pairs()):
        if missed_samples(hide, [PAIR_SAMPLES[number % len(PAIR_SAMPLES)]]):
            missed.append(name)
    return missed


def pairs() -> list[tuple[str, Callable[[str], bytes]]]:
    """All ways of hiding, one inside the other."""
    return chains(2)


def chains(length: int) -> list[tuple[str, Callable[[str], bytes]]]:
    """All chains of that many ways of hiding which a scan to its usual depth must undo.

    What changes the text for good comes first only.
    """
    later = [entry for entry in encodings() if entry[0] not in FIRST_ONLY]
    return [
        (" > ".join(name for name, _ in chain), chained(*(hide for _, hide in chain)))
        for chain in product(encodings(), *[later] * (length - 1))
        if sum(layers(name) for name, _ in chain) <= MAX_DEPTH
    ]


def missed_samples(hide: Callable[[str], bytes], samples: Iterable[str]) -> list[str]:
    """The samples that are not found once hidden. What a way of hiding cannot hold is not hidden."""
    missed = []
    for sample in samples:
        try:
            data = hide(SAMPLES[sample])
        except ValueError:
            continue
        if not Scanner({sample: SAMPLES[sample]}).scan_bytes(data, "self-test"):
            missed.append(sample)
    return missed
