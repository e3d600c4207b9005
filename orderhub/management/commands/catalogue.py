"""The French catalogue: collect every string of the source, keep its translations, compile. Needs Babel (development)."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation.template import templatize

import orderhub

KEYWORDS = {"gettext": None, "gettext_lazy": None, "_": None, "_now": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2),
            "gettext_noop": None, "ngettext_lazy": (1, 2), "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3)}  # fmt: skip
APPS = ("orderhub", "privacy", "stores", "orders", "shipments")
LEFT_OUT = {"migrations", "simulator"}
PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]|\{(\w*)\}")
LANGUAGE = "fr"


class Command(BaseCommand):
    help = "Bring locale/fr up to date with the source and compile it; --check only says what is missing."

    def add_arguments(self, parser):
        parser.add_argument(
            "--check", action="store_true", help="change nothing; fail on a missing or wrong translation"
        )
        parser.add_argument("--missing", action="store_true", help="print the untranslated strings, change nothing")

    def handle(self, *, check: bool, missing: bool, **options):
        found, faults = merged(), []
        if missing:
            for message in found:
                if message.id and not _translated(message):
                    self.stdout.write(repr(message.id))
            return
        if check:
            faults = list(complaints(found))
            if faults:
                raise CommandError(
                    "The French catalogue is not complete:\n"
                    + "\n".join(faults)
                    + "\nRun `make catalogue` and translate."
                )
            self.stdout.write(f"French catalogue complete: {sum(1 for message in found if message.id)} strings")
            return
        po, mo = files()
        po.parent.mkdir(parents=True, exist_ok=True)
        po.write_bytes(written(found))
        mo.write_bytes(compiled(found))
        left = sum(1 for message in found if message.id and not _translated(message))
        self.stdout.write(f"{po}: {left} strings to translate")


def files() -> tuple[Path, Path]:
    folder = settings.BASE_DIR / "locale" / LANGUAGE / "LC_MESSAGES"
    return folder / "django.po", folder / "django.mo"


def _sources() -> Iterator[Path]:
    for app in APPS:
        yield from sorted((settings.BASE_DIR / app).rglob("*.py"))
        yield from sorted((settings.BASE_DIR / app).rglob("*.html"))
    yield from sorted((settings.BASE_DIR / "templates").rglob("*.html"))


def extracted():
    """A fresh catalogue of every string in the source, without translations."""
    from babel.messages.catalog import Catalog
    from babel.messages.extract import extract_python

    catalog = Catalog(
        locale=LANGUAGE,
        project="OrderHub",
        version=orderhub.VERSION,
        charset="utf-8",
        msgid_bugs_address="",
        header_comment="# French texts of OrderHub.",
    )
    for path in _sources():
        if LEFT_OUT & set(path.parts):
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".html":
            # what surrounds the calls is no Python: its indentation must not be read as such
            text = "\n".join(line.lstrip() for line in templatize(text, origin=str(path)).split("\n"))
        place = str(path.relative_to(settings.BASE_DIR))
        for line, function, messages, _comments in extract_python(io.BytesIO(text.encode()), KEYWORDS, [], {}):
            _add(catalog, function, messages, place, line)
    return catalog


def _add(catalog, function: str, messages, place: str, line: int) -> None:
    """Add one call's strings; `function` tells which of its arguments is what."""
    parts = list(messages) if isinstance(messages, tuple) else [messages]
    context = None
    if "pgettext" in function:
        context, *parts = parts
    strings = [part for part in parts if isinstance(part, str)]
    if not strings:
        return
    identity = (
        tuple(strings[:2]) if function.lstrip("n").startswith("gettext") and "ngettext" in function else strings[0]
    )
    flags = ["python-format"] if "%(" in strings[0] else []
    catalog.add(identity, context=context, locations=[(place, line)], flags=flags)


def merged():
    """The source's strings with the translations we have; obsolete ones dropped, nothing guessed."""
    from babel.messages.pofile import read_po

    fresh, (po, _mo) = extracted(), files()
    if po.exists():
        with po.open("rb") as file:
            known = read_po(file, locale=LANGUAGE)
        for message in fresh:
            old = known.get(message.id, message.context) if message.id else None
            if old is not None and old.string and isinstance(old.string, tuple) == isinstance(message.id, tuple):
                message.string = old.string
    return fresh


def _translated(message) -> bool:
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    return bool(strings) and all(strings)


def complaints(catalog) -> Iterator[str]:
    """What is missing, loses a placeholder, or is not compiled yet."""
    for message in catalog:
        if not message.id:
            continue
        identity = message.id[0] if isinstance(message.id, tuple) else message.id
        place = ":".join(map(str, message.locations[0]))
        if not _translated(message):
            yield f"{place}: no translation of {identity!r}"
            continue
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(PLACEHOLDER.findall(message.id[-1] if isinstance(message.id, tuple) else message.id))
        for string in strings[-1:]:
            if set(PLACEHOLDER.findall(string)) != wanted:
                yield f"{place}: other placeholders in the translation of {identity!r}"
    _po, mo = files()
    if not mo.exists() or mo.read_bytes() != compiled(catalog):
        yield "locale/fr/LC_MESSAGES/django.mo is older than its source"


def written(catalog) -> bytes:
    """The .po text: sorted by place, without dates, so that two runs agree."""
    from babel.messages.pofile import write_po

    out = io.BytesIO()
    catalog.creation_date = catalog.revision_date = None
    catalog.fuzzy = False
    write_po(out, catalog, width=100, omit_header=False, sort_by_file=True, include_lineno=False)
    return b"\n".join(
        line for line in out.getvalue().split(b"\n")
        if not line.startswith((b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Generated-By', b'"Last-Translator', b'"Language-Team'))
    )  # fmt: skip


def compiled(catalog) -> bytes:
    """The .mo bytes. Its header carries dates; fixed ones, so that the same source always gives the same bytes."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    out, fixed = io.BytesIO(), datetime(2026, 1, 1, tzinfo=UTC)
    fresh = read_po(io.BytesIO(written(catalog)), locale=LANGUAGE)
    fresh.creation_date = fresh.revision_date = fixed
    write_mo(out, fresh)
    return out.getvalue()
