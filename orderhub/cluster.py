"""A cluster of the queue that survives the sudden death of any of its processes, and runs what our code asked for only."""

import contextlib
import logging
from collections.abc import Iterator

from django.db import Error as AnyDatabaseError
from django_q import cluster
from django_q.conf import Conf

from orderhub import jobs, scheduling

log = logging.getLogger("orderhub.cluster")
PATIENCE_S = 1.0  # a worker holds its timer's lock for the time of handing in a result: milliseconds


class Timer:
    """A worker's timer as its guard sees it: seconds left, or a negative mark.

    A worker killed while it holds the lock never gives it back, and a guard that waits for it without a limit would
    guard nothing any more. So it waits a little; without the lock it may read the timer, and counts nothing down.
    """

    def __init__(self, shared, *, patience_s: float = PATIENCE_S):
        self._shared, self._patience_s, self._held = shared, patience_s, False

    @contextlib.contextmanager
    def get_lock(self) -> Iterator[None]:
        lock = self._shared.get_lock()
        self._held = lock.acquire(timeout=self._patience_s)
        try:
            yield
        finally:
            if self._held:
                lock.release()
            self._held = False

    @property
    def value(self) -> float:
        return self._shared.get_obj().value

    @value.setter
    def value(self, seconds: float) -> None:
        if self._held:
            self._shared.get_obj().value = seconds


class Sentinel(cluster.Sentinel):
    """django-q2's sentinel, which begins again with new queues when a process of its dies suddenly.

    A process that waits for a multiprocessing queue holds that queue's lock. Killed there (by the kernel's memory
    killer, say), it never gives the lock back: whatever takes its place waits for ever, no job runs any more, and
    the end of the cluster waits for them too. Which lock is lost cannot be told from outside, so after a sudden death
    nothing that was shared is used again: the rest of the processes is killed too, a worker in the middle of a job
    included. That is what jobs are made for: its lease ends, and the next sweep finds the same rows.

    Its schedules and results are ours as well: see orderhub.scheduling, and `acknowledge` below.

    Relies on the inside of django-q2 1.11; tests/orderhub/test_cluster.py says on what.
    """

    def guard(self) -> None:
        cluster.scheduler = scheduling.ask_due  # looked up by that name, in this process
        super().guard()

    def spawn_monitor(self):
        return self.spawn_process(acknowledge, self.result_queue, self.broker)

    def reincarnate(self, process) -> None:
        """Timed-out and recycled processes hold no lock of a queue: they are replaced alone, as always."""
        if _died_suddenly(process):
            self._begin_again(process)
        else:
            super().reincarnate(process)

    def spawn_worker(self) -> None:
        super().spawn_worker()
        self.pool[-1].timer = Timer(self.pool[-1].timer)

    def stop(self) -> None:
        """End in order; with a process dead and unnoticed that would wait for ever, so that is put right first."""
        dead = [process for process in self._processes() if _died_suddenly(process)]
        if dead:
            self._begin_again(dead[0])
        super().stop()

    def _processes(self) -> list:
        return [self.pusher, self.monitor, *self.pool]

    def _begin_again(self, dead) -> None:
        log.critical("cluster_restarted", extra={"code": dead.exitcode})
        for process in self._processes():
            process.kill()
            process.join()
        self.pool.clear()  # the guard may be walking through this very list
        self.task_queue = cluster.Queue(maxsize=Conf.QUEUE_LIMIT or 0)
        self.result_queue = cluster.Queue()
        self.event_out = cluster.Event()
        self.spawn_cluster()
        self.reincarnations += 1


def acknowledge(results, broker) -> None:
    """Take out of the queue what workers have ended, well or badly, until told to stop.

    Takes the place of django-q2's monitor. That one keeps arguments and results as pickles which nothing signs, and
    loads them again: whoever writes to that table would run code here. What ran is on record as a JobRun.
    A request that cannot be taken out is delivered again after the queue's `retry`; a job is made for that.
    """
    for ended in iter(results.get, "STOP"):
        jobs.drop_broken_connection()
        try:
            broker.acknowledge(ended["ack_id"])
        except AnyDatabaseError as error:
            log.error("job_not_acknowledged", extra={"error": type(error).__name__})


def _died_suddenly(process) -> bool:
    """Ended by a signal or an error. None: still alive, so its time ran out; 0: it came to its own end."""
    return process.exitcode not in (None, 0)
