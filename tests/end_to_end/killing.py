"""Processes that die at a named place, as the kernel would kill them, or that begin at the same moment.

A child never comes back into the test run. How it ended is a number: 0 done, REFUSED by a rule of ours, BROKEN by
anything else (its traceback is on stderr), minus the signal that killed it.
"""

import os
import signal
import traceback
from collections.abc import Callable
from typing import NoReturn

from django.db import connections

from orderhub import failpoints, jobs
from orderhub.errors import RuleViolation

BROKEN, REFUSED = 1, 7
Work = Callable[[], object]


def job(func, row) -> Work:
    """The run of a job for one row, as the queue starts it."""
    return lambda: jobs.run(func.job_name, row.pk)


def died_at(failpoint: str, work: Work, *, visit: int = 1) -> bool:
    """Do the work in a child process that is to die at the failpoint; whether it was killed there."""

    def armed() -> None:
        failpoints._visits.clear()
        os.environ[failpoints.ENV] = f"{failpoint}:kill:{visit}"
        work()

    return _ends(_children(armed)) == [-signal.SIGKILL]


def at_once(*works: Work) -> list[int]:
    """Each in a process of its own, begun at the same moment; how they ended, sorted."""
    start, go = os.pipe()

    def held(work: Work) -> Work:
        def begin() -> None:
            os.close(go)
            os.read(start, 1)  # ends when the last one who could write has closed
            work()

        return begin

    children = _children(*map(held, works))
    os.close(start)
    os.close(go)
    return sorted(_ends(children))


def twice_at_once(work: Work) -> list[int]:
    """One work in two processes."""
    return at_once(work, work)


def _children(*works: Work) -> list[int]:
    connections.close_all()  # a connection shared over fork belongs to nobody
    children = []
    for work in works:
        child = os.fork()
        if not child:
            _do(work)
        children.append(child)
    return children


def _do(work: Work) -> NoReturn:
    code = BROKEN
    try:
        work()
        code = 0
    except RuleViolation:
        code = REFUSED
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _ends(children: list[int]) -> list[int]:
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
