"""The queue's cluster outlives the sudden death of any of its processes, and ends when it is told to."""

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
from django_q import cluster as queue

from orderhub import cluster
from tests import template

ROOT = Path(__file__).resolve().parents[2]
RUNS = "SELECT count(*) FROM orderhub_jobrun WHERE job = 'orderhub.housekeeping.heartbeat' AND ok"
COLUMNS = "key, payload"
FAR_AHEAD = "'9000-01-01'"
PREPARE = """
from django_q.models import OrmQ
from orderhub.housekeeping.jobs import heartbeat
from orderhub.jobs import enqueue
enqueue(heartbeat)
OrmQ.objects.update(lock="9999-01-01T00:00:00Z")
"""
ROLES = ("worker", "monitor", "pusher")  # in the order in which they are started
RUNS_AGAIN_WITHIN_S = 12
ENDS_WITHIN_S = 10


@dataclass
class Running:
    """A cluster in processes of its own, on a database of its own that holds one request nobody takes."""

    main: subprocess.Popen
    database: Path

    def rows(self, statement: str) -> list[tuple]:
        with closing(sqlite3.connect(self.database, timeout=10)) as connection, connection:
            return connection.execute(statement).fetchall()

    def runs(self) -> int:
        return self.rows(RUNS)[0][0]

    def ask(self) -> None:
        """Ask for a heartbeat: a copy of the prepared request that is free to be taken."""
        self.rows(
            f"INSERT INTO django_q_ormq ({COLUMNS}, lock) SELECT {COLUMNS}, '2000-01-01 00:00:00' "
            f"FROM django_q_ormq WHERE lock > {FAR_AHEAD}"
        )

    def is_idle(self) -> bool:
        return self.rows(f"SELECT count(*) FROM django_q_ormq WHERE lock < {FAR_AHEAD}") == [(0,)]

    @property
    def sentinel(self) -> int:
        (pid,) = children_of(self.main.pid)
        return pid

    def pid_of(self, role: str) -> int:
        return dict(zip(ROLES, children_of(self.sentinel), strict=True))[role]


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return sorted(int(child) for child, parent in map(str.split, listed.splitlines()) if int(parent) == pid)


def wait_until(true: Callable[[], object], *, seconds: float) -> bool:
    ends_at = time.monotonic() + seconds
    while not true():
        if time.monotonic() > ends_at:
            return False
        time.sleep(0.1)
    return True


@pytest.fixture
def running(tmp_path) -> Iterator[Running]:
    env = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")}
    env |= {"DJANGO_SETTINGS_MODULE": "orderhub.settings", "ORDERHUB_ENV": "development", "VAR_DIR": str(tmp_path)}
    template.copy_to(tmp_path / "orderhub.sqlite3")  # with several processes there is one; migrating it is then quick
    for arguments in (["migrate", "-v0"], ["shell", "-v0", "-c", PREPARE]):
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, check=True, timeout=60)
    with (tmp_path / "cluster.log").open("wb") as log:
        main = subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield Running(main, tmp_path / "orderhub.sqlite3")
    finally:
        try:
            os.killpg(main.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        main.wait()


@pytest.mark.skipif(bool(os.environ.get("TEST_DATABASE_URL")), reason="has its own SQLite file: once is enough")
def test_a_cluster_works_on_after_the_sudden_death_of_each_of_its_processes_and_ends_on_term(running):
    running.ask()
    assert wait_until(lambda: running.runs() >= 2, seconds=30)  # one as it starts, one as asked
    for role in ROLES:
        assert wait_until(running.is_idle, seconds=5)
        time.sleep(0.5)  # back in its read of the queue, whose lock it takes with it
        before = running.runs()
        os.kill(running.pid_of(role), signal.SIGKILL)
        running.ask()
        assert wait_until(lambda: running.runs() > before, seconds=RUNS_AGAIN_WITHIN_S), f"{role} killed"  # noqa: B023
    die_unnoticed_with_work_waiting(running)
    running.main.terminate()
    os.kill(running.sentinel, signal.SIGCONT)
    assert running.main.wait(timeout=ENDS_WITHIN_S) == 0


def die_unnoticed_with_work_waiting(running: Running) -> None:
    """The worst moment for the end: a worker is dead, its guard has not looked yet, and the pusher cannot go on."""
    assert wait_until(running.is_idle, seconds=5)
    os.kill(running.sentinel, signal.SIGSTOP)
    os.kill(running.pid_of("worker"), signal.SIGKILL)
    for _request in range(3):
        running.ask()
    time.sleep(2.5)


@pytest.fixture
def signals_kept() -> Iterator[None]:
    """A sentinel sets signal handlers for what it takes for its own process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_what_we_rely_on_in_the_queues_sentinel_is_still_there(signals_kept):
    assert version("django-q2").startswith("1.11."), "read django_q/cluster.py again, then orderhub/cluster.py"
    assert issubclass(cluster.Sentinel, queue.Sentinel)
    assert "Sentinel" in queue.Cluster.start.__code__.co_names  # looked up when it starts, so ours can take its place
    sentinel = cluster.Sentinel(queue.Event(), queue.Event(), uuid.uuid4(), broker=object(), start=False)
    relied_on = {"pool", "monitor", "pusher", "task_queue", "result_queue", "event_out", "reincarnations"}
    assert relied_on <= set(vars(sentinel))
    assert {"reincarnate", "spawn_cluster", "spawn_worker", "spawn_monitor", "stop"} <= set(dir(queue.Sentinel))
    assert {"timer", "get_lock", "is_alive", "reincarnate"} <= set(queue.Sentinel.guard.__code__.co_names)
    assert "scheduler" in queue.Sentinel.guard.__code__.co_names and callable(queue.scheduler)  # ours takes its name
    assert "spawn_monitor" in queue.Sentinel.spawn_cluster.__code__.co_names


def test_a_worker_that_died_with_its_timer_locked_does_not_stop_the_guard():
    shared = multiprocessing.get_context("fork").Value("f", 7)
    child = os.fork()
    if not child:
        shared.get_lock().acquire()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    timer = cluster.Timer(shared, patience_s=0.1)
    with timer.get_lock():
        assert timer.value == 7
        timer.value -= 1
    assert timer.value == 7  # not ours to count


def test_a_timer_nobody_holds_is_counted_down():
    shared = multiprocessing.get_context("fork").Value("f", 7)
    timer = cluster.Timer(shared)
    for _second in range(2):
        with timer.get_lock():
            timer.value -= 1
    assert shared.value == 5
