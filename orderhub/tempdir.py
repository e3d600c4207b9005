"""A temporary folder of each process: only its owner reads it, and what a process that died left in it goes at the
next start. Uploads too large for memory are kept there, and nothing else of ours. Core dumps are off: they would hold
whatever the process knew."""

import atexit
import os
import resource
import shutil
import tempfile
from pathlib import Path

from django.conf import settings

DAY_S = 24 * 3600


def base() -> Path:
    return Path(settings.VAR_DIR) / "tmp"


def claim() -> Path:
    """Make this process's folder, empty, and let Python and Django use it; drop those of processes that are gone."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    mine = base() / f"{os.uname().nodename}-{os.getpid()}"
    shutil.rmtree(mine, ignore_errors=True)  # of an earlier process with this number
    mine.mkdir(mode=0o700, parents=True)
    sweep(beside=mine)
    atexit.register(_leave, mine, os.getpid())
    tempfile.tempdir = settings.FILE_UPLOAD_TEMP_DIR = str(mine)
    return mine


def sweep(*, beside: Path) -> int:
    """Delete the folders of this host's processes that are gone, and of other hosts what is older by a day."""
    host, now, gone = beside.name.rpartition("-")[0], beside.stat().st_mtime, 0
    for folder in beside.parent.iterdir():
        owner, _dash, pid = folder.name.rpartition("-")
        if _gone(pid) if owner == host else now - folder.stat().st_mtime > DAY_S:
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone


def _gone(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, ValueError, OverflowError):  # somebody else's process, or no number at all
        return False
    return False


def _leave(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # not a forked child, whose parent still uses it
        shutil.rmtree(folder, ignore_errors=True)
