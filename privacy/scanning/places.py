"""Every place that must hold nothing of a buyer, in the order in which leaks are likely."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.cache import caches
from django.db import connection

from orderhub import tempdir
from privacy import registry
from privacy.registry import Kind

CHUNK = 500
MOST_FILE_BYTES = 32 * 1024 * 1024  # the end of a larger one is read: the newest lines
ELSEWHERE = {Kind.PII, Kind.STAFF, Kind.SECRET}  # by right, about others, unreadable
FIRST = ("django_q", "django_session", "django_admin_log", "orderhub_", "privacy_", "shipments_", "orders_")


def everywhere(*, rows: int | None = None) -> Iterator[tuple[str, object]]:
    """(place, value) of everything outside the personal columns and the storages of documents.

    `rows`: how many of a table's newest rows; None reads all.
    """
    yield from _caches()
    yield from _folders()
    yield from _statistics()
    yield from cells(rows=rows)


def cells(*, rows: int | None = None) -> Iterator[tuple[str, object]]:
    """(table.column, value) of every table of the live database, with a model or none, except in personal columns."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor, include_views=True)
    for table in sorted(tables, key=_rank):
        yield from _cells_of(table, rows)


def _rank(table: str) -> tuple[int, str]:
    return next((n for n, start in enumerate(FIRST) if table.startswith(start)), len(FIRST)), table


def _cells_of(table: str, rows: int | None) -> Iterator[tuple[str, object]]:
    kinds = registry.tables().get(table, registry.Table()).columns
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {quote(table)} WHERE 1 = 0")  # noqa: S608  names of the catalogue
        told = [found[0] for found in cursor.description]
        columns = [name for name in told if kinds.get(name) not in ELSEWHERE]
        if not columns:
            return
        newest = f" ORDER BY {quote(told[0])} DESC LIMIT {rows:d}" if rows else ""
        cursor.execute(f"SELECT {', '.join(map(quote, columns))} FROM {quote(table)}{newest}")  # noqa: S608
        places = [f"{table}.{column}" for column in columns]
        while found := cursor.fetchmany(CHUNK):
            for row in found:
                yield from ((place, value) for place, value in zip(places, row, strict=True) if _may_tell(value))


def _may_tell(value: object) -> bool:
    return not (value is None or isinstance(value, int | float) or hasattr(value, "isoformat"))


def _statistics() -> Iterator[tuple[str, object]]:
    """What PostgreSQL's planner remembers of values, and the statements it was last given."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename || '.' || attname, most_common_vals::text, histogram_bounds::text FROM pg_stats"
            " WHERE schemaname = current_schema()"
        )
        for place, common, bounds in cursor.fetchall():
            yield f"pg_stats {place}", [common, bounds]
        cursor.execute("SELECT query FROM pg_stat_activity WHERE query IS NOT NULL AND pid <> pg_backend_pid()")
        yield "pg_stat_activity", [query for (query,) in cursor.fetchall()]


def _caches() -> Iterator[tuple[str, object]]:
    """Caches of this process and in files; those in tables are read with the tables."""
    for number, cache in enumerate(caches.all(initialized_only=True)):
        yield f"cache {number}", list(getattr(cache, "_cache", {}).items())
    for name, told in settings.CACHES.items():
        if told["BACKEND"].endswith("FileBasedCache"):
            yield from _files_in(Path(told["LOCATION"]), f"cache {name}")


def _folders() -> Iterator[tuple[str, object]]:
    """Mails kept as files, temporary files, logs beside the database, and what lies among the media without a storage."""
    if folder := getattr(settings, "EMAIL_FILE_PATH", None):
        yield from _files_in(Path(folder), "mail file")
    yield from _files_in(tempdir.base(), "temporary file")
    for path in sorted(settings.VAR_DIR.glob("*.log*")):
        yield f"log {path.name}", _end_of(path)
    shelved = {shelf.alias for shelf in registry.shelves()}
    media = Path(settings.MEDIA_ROOT)
    for path in sorted(media.iterdir()) if media.is_dir() else []:
        if path.name not in shelved:
            yield from _files_in(path, "media") if path.is_dir() else [("media", [path.name, _end_of(path)])]


def _files_in(folder: Path, place: str) -> Iterator[tuple[str, object]]:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if path.is_file() and not path.is_symlink():
            yield place, [path.name, _end_of(path)]


def _end_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - MOST_FILE_BYTES))
            return file.read()
    except FileNotFoundError:  # deleted meanwhile
        return b""
