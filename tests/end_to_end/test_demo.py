"""The demonstration keeps its promises and leaves nothing behind."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orderhub.demo.processes import Children, free_port, stopping_on_signals

ROOT = Path(__file__).resolve().parent.parent.parent
FIGURES = {
    "orders_imported", "orders_by_store", "orders_by_status", "skipped", "labels", "confirmed_at_amazon",
    "duplicate_confirmations", "redacted", "overdue", "seconds",
}  # fmt: skip


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "DEMO_DIR": str(folder)}


def _mentions(folder: Path) -> list[str]:
    """Processes that still work for this demo, by the folder in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder).encode() in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


def _left(folder: Path) -> list[str]:
    """The same, given a moment: a killed process takes one to go."""
    for _moment in range(30):
        if not _mentions(folder):
            return []
        time.sleep(0.1)
    return _mentions(folder)


def test_once_runs_the_main_job_and_tells_the_figures(tmp_path):
    database = "postgres" if os.environ.get("TEST_DATABASE_URL") else "sqlite"
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--once", "--db", database, "--port", "18300"],
        cwd=ROOT, env=_environment(tmp_path / "demo"), capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, done.stderr) == (0, "")
    assert told.keys() >= FIGURES
    assert told["confirmed_at_amazon"] == told["owe_a_notice"] > 100
    assert (told["duplicate_confirmations"], told["overdue"]) == (0, 0)
    assert told["orders_imported"] > 300
    assert sum(told["orders_by_store"].values()) == sum(told["orders_by_status"].values()) == told["orders_imported"]
    assert told["redacted"] > 50
    assert "Traceback" not in (tmp_path / "demo" / "demo.log").read_text()
    assert _left(tmp_path / "demo") == []


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc to see every process")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_parent_takes_children_and_grandchildren_along(tmp_path, ending):
    grandchild = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); time.sleep(60)"
    children = Children({"PATH": os.environ["PATH"], "MARK": str(tmp_path)}, tmp_path / "log")
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with pytest.raises(KeyboardInterrupt), stopping_on_signals(children):
            child = children.start("-c", grandchild)
            time.sleep(0.5)
            assert len(_mentions(tmp_path)) == 2
            os.kill(os.getpid(), ending)
            time.sleep(5)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert child.poll() is not None
    assert _left(tmp_path) == []


def test_a_port_in_use_gives_the_next_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(port) <= port + 100


def _demo(folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", "demo", "--once", "--port", "18400"],
        cwd=ROOT, env=_environment(folder), capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.long
def test_a_second_demonstration_does_not_delete_the_first_ones_shop(tmp_path):
    folder = tmp_path / "demo"
    with (tmp_path / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = _demo(folder)
    assert refused.returncode == 1
    assert "already running" in refused.stderr
    assert not folder.exists()


@pytest.mark.long
def test_a_folder_with_other_files_is_never_emptied(tmp_path):
    (tmp_path / "precious").write_text("keep me")
    refused = _demo(tmp_path)
    assert refused.returncode == 1
    assert "other files" in refused.stderr
    assert (tmp_path / "precious").read_text() == "keep me"
