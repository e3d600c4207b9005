"""Going on where a purchase or a void of a label broke off: one account's, within a time budget."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from orderhub.errors import RuleViolation
from orderhub.jobs import CALLS_S
from shipments import buying, labelcancelling, voiding
from shipments.models import LabelPurchase
from stores.models import AmazonAccount


@dataclass
class SettleReport:
    """What became of the purchases. `more`: time ran out."""

    outcomes: Counter = field(default_factory=Counter)
    more: bool = False

    def sentence(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in sorted(self.outcomes.items())) or "nothing to ask for"


def due(now: datetime):
    """Purchases of all accounts that something is left to ask about."""
    return buying.to_settle(now) | labelcancelling.to_ask_again(now)


def settle_due(account: AmazonAccount, *, now: datetime, budget_s: float = CALLS_S) -> SettleReport:
    """Finish what is open for one account. Safe to run twice, at once, and to kill at any line."""
    report, started = SettleReport(), time.monotonic()
    for purchases, step in ((buying.to_settle(now), _finish), (labelcancelling.to_ask_again(now), _void)):
        rows = purchases.filter(order__store__account=account)
        for purchase in rows.select_related("order__store__account", "shipment__order__store").iterator(chunk_size=100):
            if time.monotonic() - started > budget_s:
                report.more = True
                return report
            try:
                step(purchase, now)
            except RuleViolation:
                pass  # its sentence is for a person; the row keeps the code
            purchase.refresh_from_db(fields=["state"])
            report.outcomes[purchase.state] += 1
    return report


def _finish(purchase: LabelPurchase, now: datetime) -> None:
    buying.settle(purchase, now=now)


def _void(purchase: LabelPurchase, now: datetime) -> None:
    if purchase.shipment is None:
        labelcancelling.cancel(purchase, now=now)
    else:
        voiding.void(purchase.shipment, by=None, now=now)
