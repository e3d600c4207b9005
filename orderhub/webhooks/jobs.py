"""The clock's doors to telling clients: what happened is written down, then each endpoint is sent its own."""

from orderhub import clock
from orderhub.jobs import enqueue, every, task
from orderhub.webhooks import feeding, keeping, sending


@every(minutes=1)
def tell() -> str:
    """Write down what clients are to be told, and ask for a sender for each endpoint: a slow one holds up no other."""
    told = feeding.feed(now=clock.now(), budget_s=30)
    waiting = sending.waiting_endpoints(now=clock.now())
    for endpoint_id in waiting:
        enqueue(send, endpoint_id)
    return f"{told} told, {len(waiting)} endpoints"


@task
def send(endpoint_id: int) -> str:
    """Send one endpoint what waits for it."""
    taken, failed = sending.send_due(endpoint_id, now=clock.now())
    return f"{taken} delivered, {failed} not"


@every(minutes=24 * 60)
def prune() -> str:
    """Drop old deliveries."""
    return f"{keeping.prune(now=clock.now())} deliveries"
