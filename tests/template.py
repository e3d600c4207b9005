"""One migrated database for a whole run of the tests, copied for each of its processes: migrating takes longer than
most tests do, and is done while the processes still gather theirs."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from django.db import DatabaseError, connection

PLACE = "ORDERHUB_TEST_TEMPLATE"  # in the environment: a folder of this run
PATIENCE_S = 300


def start() -> subprocess.Popen:
    """Begin to make it, in a process of its own; the processes of the tests learn of it from the environment."""
    os.environ[PLACE] = tempfile.mkdtemp(prefix="orderhub-template-")
    return subprocess.Popen([sys.executable, "-m", "tests.template"])


def copy() -> None:
    """Make the database of this process from it."""
    _wait()
    name, mine = _name(), connection.creation._get_test_db_name()
    if connection.vendor == "sqlite":
        for left in (f"{mine}-wal", f"{mine}-shm"):
            Path(left).unlink(missing_ok=True)
        shutil.copyfile(name, mine)
        return
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{mine}"')
        for _attempt in range(100):  # one at a time may copy it
            try:
                cursor.execute(f'CREATE DATABASE "{mine}" TEMPLATE "{name}"')
                return
            except DatabaseError:  # another process is copying it right now
                time.sleep(0.2)
        cursor.execute(f'CREATE DATABASE "{mine}" TEMPLATE "{name}"')


def copy_to(path: Path) -> None:
    """A copy of SQLite's file for an installation of its own, where there is one."""
    if PLACE in os.environ and connection.vendor == "sqlite":
        shutil.copyfile(_name(), path)


def drop(maker: subprocess.Popen) -> None:
    """At the end of the run."""
    maker.wait()
    if connection.vendor == "postgresql":
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{_name()}"')
    shutil.rmtree(os.environ.pop(PLACE))


def _name() -> str:
    place = Path(os.environ[PLACE])
    return str(place / "template.sqlite3") if connection.vendor == "sqlite" else place.name.replace("-", "_")


def _mark() -> Path:
    """Written when it is made: empty, or with what went wrong."""
    return Path(os.environ[PLACE]) / "made"


def _wait() -> None:
    until = time.monotonic() + PATIENCE_S
    while not _mark().exists():
        if time.monotonic() > until:
            raise RuntimeError("The database that all tests are copied from was not made in time.")
        time.sleep(0.1)
    if said := _mark().read_text():
        raise RuntimeError(f"The database that all tests are copied from was not made: {said}")


def _make() -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    said = "it was stopped"
    try:
        connection.settings_dict["TEST"]["NAME"] = _name()
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        connection.close()
        said = ""
    except Exception as error:
        said = repr(error)
        raise
    finally:
        written = _mark().with_suffix(".part")
        written.write_text(said)
        written.rename(_mark())


if __name__ == "__main__":
    _make()
