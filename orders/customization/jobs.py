"""The clock's door to the archives of customised lines."""

from orderhub import clock
from orderhub.jobs import CALLS_S, enqueue, every
from orders.customization import fetching


@every(minutes=5)
def fetch_customizations() -> str:
    """Fetch what waits at Amazon; also asked for after an import that brought some."""
    report = fetching.fetch_due(now=clock.now(), budget_s=CALLS_S)
    if report.more:
        enqueue(fetch_customizations)
    return report.sentence()
