"""The database, the files and the process."""

import os
import stat
from pathlib import Path

from django.conf import settings
from django.core.checks import Tags, Warning, register
from django.db import DatabaseError, connection

from orderhub.checks.rules import unsafe
from orderhub.http import is_loopback

OTHERS = stat.S_IROTH | stat.S_IWOTH | stat.S_IXOTH
PRIVATE = ("labels", "customization")  # storages with buyers' data
QUIET = {  # what a server may write into its log: PostgreSQL puts values of rows and parameters there
    "log_min_error_statement": ({"panic", "fatal"}, "panic"),
    "log_error_verbosity": ({"terse"}, "terse"),
    "log_statement": ({"none", "ddl"}, "none"),
    "log_min_duration_statement": ({"-1"}, "-1"),
    "log_parameter_max_length": ({"0"}, "0"),
    "log_parameter_max_length_on_error": ({"0"}, "0"),
}


def _is_postgresql() -> bool:
    return settings.DATABASES["default"]["ENGINE"].endswith("postgresql")


@unsafe(40)
def database_is_reached_over_tls() -> str:
    database = settings.DATABASES["default"]
    host = database.get("HOST") or ""
    local = not host or host.startswith("/")
    safe = not _is_postgresql() or local or database.get("OPTIONS", {}).get("sslmode") == "verify-full"
    return "" if safe else "DATABASE_URL must end with ?sslmode=verify-full unless it names a local socket."


@unsafe(41)
def values_travel_beside_statements() -> str:
    safe = not _is_postgresql() or settings.DATABASES["default"].get("OPTIONS", {}).get("server_side_binding")
    return (
        ""
        if safe
        else "OPTIONS of the database must have server_side_binding: else its views show values in statements."
    )


@unsafe(42)
def files_are_private() -> str:
    wrong = [str(path) for path in _private_paths() if path.exists() and _is_open(path.resolve())]
    return f"Take away the rights of others (chmod o-rwx): {', '.join(wrong)}." if wrong else ""


def _is_open(path: Path) -> bool:
    """Whether others may do anything with it: not where they cannot enter a folder above it."""
    return bool(path.stat().st_mode & OTHERS) and all(above.stat().st_mode & stat.S_IXOTH for above in path.parents)


def _private_paths() -> list[Path]:
    """Folders whose content may be about buyers, and files with secrets."""
    base = Path(settings.BASE_DIR)
    media = Path(settings.MEDIA_ROOT)
    return [Path(settings.VAR_DIR), media, base / ".env", Path(settings.VAR_DIR) / "secrets.json",
            Path(settings.AUDIT_HEADS_FILE), *(media / name for name in PRIVATE)]  # fmt: skip


@unsafe(43)
def personal_files_are_not_served() -> str:
    public = [
        Path(settings.STATIC_ROOT).resolve(),
        *(Path(str(folder)).resolve() for folder in settings.STATICFILES_DIRS),
    ]
    wrong = [name for name in PRIVATE if any(_location(name).is_relative_to(folder) for folder in public)]
    return f"STORAGES {', '.join(wrong)} must lie outside of STATIC_ROOT, which everybody can read." if wrong else ""


def _location(name: str) -> Path:
    options = settings.STORAGES[name].get("OPTIONS", {})
    return Path(options.get("location") or settings.MEDIA_ROOT).resolve()


@unsafe(44)
def personal_files_are_written_private() -> str:
    modes = [settings.STORAGES[name].get("OPTIONS", {}) for name in PRIVATE if _is_folder(name)]
    safe = all(
        not found.get("file_permissions_mode", 0o644) & 0o077
        and not found.get("directory_permissions_mode", 0o755) & 0o077
        for found in modes
    )
    return "" if safe else "STORAGES of labels and customization must write files 0600 in folders 0700."


def _is_folder(name: str) -> bool:
    return "location" in settings.STORAGES[name].get("OPTIONS", {})


@unsafe(45)
def mails_are_sent() -> str:
    kept = any(word in settings.EMAIL_BACKEND for word in ("console", "filebased", "locmem", "dummy"))
    return "EMAIL_URL must name a mail server: mails kept in files or printed hold names of buyers." if kept else ""


@unsafe(46)
def mails_travel_over_tls() -> str:
    host = settings.EMAIL_HOST or "localhost"
    safe = settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL or is_loopback(f"smtp://{host}")
    return "" if safe else "EMAIL_URL must be smtp+tls:// or smtp+ssl:// unless the mail server is on this machine."


@unsafe(47)
def the_database_s_clock_counts() -> str:
    return (
        ""
        if settings.CLOCK_SOURCE == "database"
        else "CLOCK_SOURCE must be database: machines disagree about the time."
    )


@unsafe(48)
def hashes_are_random() -> str:
    fixed = os.environ.get("PYTHONHASHSEED", "random") != "random"
    return "PYTHONHASHSEED is set: remove it, or requests can be made to collide." if fixed else ""


@unsafe(49)
def nothing_of_a_demo_is_set() -> str:
    found = [name for name in ("DEMO_DIR", "DEMO_DATABASE_URL", "TEST_DATABASE_URL") if name in os.environ]
    return f"{', '.join(found)}: remove from the environment of a production." if found else ""


@unsafe(50)
def asserts_are_on() -> str:
    return "" if __debug__ else "PYTHONOPTIMIZE takes checks out of the code: remove it."


@register(Tags.database)
def database_logs_no_values(app_configs, databases=None, **kwargs) -> list[Warning]:
    """The server's own log is out of our hands; we can read what it is told to write."""
    if not settings.PRODUCTION or connection.vendor != "postgresql":
        return []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(QUIET)])
            found = dict(cursor.fetchall())
    except DatabaseError:  # not reached: whatever starts now says so itself
        return []
    loud = [f"{name} = {best}" for name, (good, best) in QUIET.items() if found.get(name, best) not in good]
    if not loud:
        return []
    text = f"PostgreSQL may write values of buyers into its log. Set: {', '.join(loud)}."
    return [Warning(text, id="orderhub.W001")]
