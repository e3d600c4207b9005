"""The clock's door to erasures that people asked for."""

from orderhub import clock
from orderhub.jobs import enqueue, every
from privacy import requests


@every(minutes=5)
def carry_out_requests() -> str:
    """Carry out approved requests. Stops at its time budget and asks for itself again."""
    done, failed, more = requests.carry_out_all(now=clock.now())
    if more:
        enqueue(carry_out_requests)
    return f"{done} requests done, {failed} orders failed"


@every(minutes=24 * 60)
def replay_ledger() -> str:
    """Erase again what was erased on request and came back since, with a backup or an import."""
    report = requests.replay(now=clock.now())
    if report.more:
        enqueue(replay_ledger)
    return report.sentence()


def soon() -> None:
    """Ask for the sweep now: what was just agreed need not wait for it."""
    enqueue(carry_out_requests)
