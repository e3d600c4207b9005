"""Puts the published clients where the tests find them: once a virtual environment, from two lock files.

They live beside our packages, not among them: one asks for a newer Python than its code needs, and what they need must
not move what we run on. A folder is named for its lock file, so a new lock is a new folder.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
KEPT = Path(sys.prefix) / "clients"
PATIENCE_S = 180
_missing: dict[str, str] = {}  # what this process could not install, and why: it does not try again
OLDEST_NODE = (20, 6)  # the first in which a script registers its own loader


class Unavailable(Exception):
    """The clients cannot be had, and why."""


def for_python() -> Path:
    """A folder to import them from. Unavailable where they cannot be had."""
    return _installed("python", HERE / "requirements.txt", _pip)


def for_node() -> Path:
    """A folder with `node_modules`. Unavailable where they cannot be had."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise Unavailable("node and npm are not there")
    if _node_version() < OLDEST_NODE:
        raise Unavailable("node is older than " + ".".join(map(str, OLDEST_NODE)))
    return _installed("node", HERE / "package-lock.json", _npm)


def _node_version() -> tuple[int, ...]:
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=PATIENCE_S).stdout
    return tuple(int(part) for part in told.strip().lstrip("v").split(".")[:2] if part.isdecimal())


def _installed(name: str, lock: Path, install: Callable[[Path], list[str]]) -> Path:
    """The folder of this lock, filled by whichever process comes first: the others wait."""
    if name in _missing:
        raise Unavailable(_missing[name])
    KEPT.mkdir(exist_ok=True)
    wanted = KEPT / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    with open(KEPT / f"{name}.lock", "w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not wanted.exists():
            made = KEPT / f"{name}.making"
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            try:
                _run(install(made), cwd=made)
            except Unavailable as error:
                _missing[name] = str(error)
                raise
            made.rename(wanted)
    return wanted


def _pip(folder: Path) -> list[str]:
    """Without what they ask of the interpreter's version: their code runs on ours, as the tests show."""
    options = "--no-deps --require-hashes --ignore-requires-python --no-compile --disable-pip-version-check --retries 1"
    return [sys.executable, "-m", "pip", "install", "-q", *options.split(), "--target", str(folder), "-r", str(HERE / "requirements.txt")]  # fmt: skip


def _npm(folder: Path) -> list[str]:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    options = "--ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=1000"
    return ["npm", "ci", *options.split()]


def _run(command: list[str], *, cwd: Path) -> None:
    try:
        subprocess.run(
            command, cwd=cwd, check=True, capture_output=True, timeout=PATIENCE_S, env=os.environ | {"CI": "1"}
        )
    except (OSError, subprocess.SubprocessError) as error:
        told = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip()
        raise Unavailable(
            f"{command[0]} could not install the clients: {told[-300:] or type(error).__name__}"
        ) from error
