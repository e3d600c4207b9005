"""Child processes of the demo, each in a session of its own, none left behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
GRACE_S = 10
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Children:
    """Starts processes and ends every one of them: TERM to the process, KILL to its whole group after a grace period."""

    def __init__(self, env: dict[str, str], log: Path):
        self.env, self.log = env, log
        self.running: list[subprocess.Popen] = []

    def start(self, *arguments: str) -> subprocess.Popen:
        """`python …` in its own session; its output goes to the demo's log file."""
        with self.log.open("ab") as log:
            child = subprocess.Popen(  # noqa: S603  our own interpreter and modules
                [sys.executable, *arguments], cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.running.append(child)
        return child

    def run(self, *arguments: str) -> int:
        """`python …` to its end, talking to our own terminal; returns its exit code."""
        child = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=self.env, start_new_session=True)  # noqa: S603
        self.running.append(child)
        try:
            return child.wait()
        finally:
            if child.poll() is not None:
                self.running.remove(child)

    def fallen(self) -> list[str]:
        """What ended although it should not have."""
        return [" ".join(child.args[1:4]) for child in self.running if child.poll() is not None]

    def stop(self) -> None:
        for child in self.running:
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + GRACE_S
        for child in self.running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, deadline - time.monotonic()))
        for child in self.running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)  # grandchildren too
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(2)


@contextlib.contextmanager
def stopping_on_signals(children: Children) -> Iterator[None]:
    """End the children however the block is left: normally, by an error, by Ctrl-C, TERM or HUP."""

    def leave(number, frame):
        raise KeyboardInterrupt

    for number in ENDINGS:  # SIGINT too: started in the background, Python would leave it ignored
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in ENDINGS:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave orphans
        children.stop()


def free_port(wanted: int) -> int:
    """`wanted`, or the next port nobody listens on."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"No free port between {wanted} and {wanted + 99}: stop something, or choose with PORT=…")


def wait_for(url: str, *, seconds: float = 30) -> bool:
    """Whether the address answers at all within the time."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with opener.open(url, timeout=5) as answer:
                return answer.status == 200
        except OSError:
            time.sleep(0.1)
    return False
