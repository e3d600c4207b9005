"""Sending many orders at once: each row for itself, then one wake-up of each account's notices."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orderhub.jobs import enqueue
from shipments import dispatching
from shipments.forms import Row
from shipments.jobs import notify_account
from shipments.models import Shipment


@dataclass
class Outcome:
    """What became of the rows. `left`: those not sent, each with its sentence."""

    sent: list[Shipment] = field(default_factory=list)
    left: list[Row] = field(default_factory=list)


def send(rows: list[Row], *, by, now: datetime, carrier: str = "", service: str = "") -> Outcome:
    """Send what can be sent; a row that is refused stops no other. `carrier`, `service`: for all rows, if given."""
    outcome = Outcome()
    for row in rows:
        if not row.form.is_valid():
            row.error = _("Check the fields of order %(number)s.") % {"number": row.order.order_number}
            outcome.left.append(row)
            continue
        try:
            wish = row.form.wish(carrier=carrier, service=service)
            outcome.sent.append(dispatching.ship(row.order, wish, now=now, by=by))
        except RuleViolation as error:
            row.error = str(error)
            outcome.left.append(row)
    for account_id in sorted({shipment.order.store.account_id for shipment in outcome.sent} - {None}):
        enqueue(notify_account, account_id)
    return outcome
