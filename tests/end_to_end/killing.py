"""A process that dies at a named place, as the kernel would kill it, and the world it leaves."""

import os
import signal
from collections.abc import Callable

from django.db import connections

from orderhub import failpoints


def died_at(failpoint: str, work: Callable[[], object], *, visit: int = 1) -> bool:
    """Do the work in a child process that is to die at the failpoint; whether it was killed there."""
    connections.close_all()  # a connection shared over fork belongs to nobody
    child = os.fork()
    if not child:
        code = 1
        try:
            failpoints._visits.clear()
            os.environ[failpoints.ENV] = f"{failpoint}:kill:{visit}"
            work()
            code = 0
        finally:
            os._exit(code)  # never back into the test run
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
