"""Sending many orders at once: each row for itself, then one wake-up of each account's notices."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orderhub.jobs import enqueue
from shipments import dispatching, trackingnumbers
from shipments.forms import Row
from shipments.jobs import notify_account
from shipments.models import Shipment


@dataclass
class Outcome:
    """What became of the rows. `left`: those not sent, each with its sentence."""

    sent: list[Shipment] = field(default_factory=list)
    left: list[Row] = field(default_factory=list)


def send(
    rows: list[Row], *, by, now: datetime, carrier: str = "", service: str = "", warned: Collection[str] = (),
) -> Outcome:  # fmt: skip
    """Send what can be sent; a row that is refused stops no other. `carrier`, `service`: for all rows, if given.

    A number that looks mistyped stays once with its doubt; with its token among `warned` it goes as it is.
    """
    outcome = Outcome()
    for row in rows:
        if not row.form.is_valid():
            row.error = _("Check the fields of order %(number)s.") % {"number": row.order.order_number}
            outcome.left.append(row)
            continue
        try:
            wish = row.form.wish(carrier=carrier, service=service)
            if _doubtful(row, wish, warned):
                outcome.left.append(row)
                continue
            outcome.sent.append(dispatching.ship(row.order, wish, now=now, by=by))
        except RuleViolation as error:
            row.error = str(error)
            outcome.left.append(row)
    for account_id in sorted({shipment.order.store.account_id for shipment in outcome.sent} - {None}):
        enqueue(notify_account, account_id)
    return outcome


def _doubtful(row: Row, wish: dispatching.ParcelWish, warned: Collection[str]) -> bool:
    """Whether the person has to look at the number first. RuleViolation where it could not be sent in any case."""
    fit = dispatching.clean(wish, row.order.order_number)
    doubt = trackingnumbers.doubts(fit.carrier, fit.tracking_number)
    if not doubt:
        return False
    seen = hashlib.sha256(f"{fit.carrier} {fit.tracking_number}".encode()).hexdigest()[:12]
    row.warn(doubt, f"{row.order.pk}-{seen}")
    refused_anyway = row.refusal or (row.unreadable and wish.with_label)  # that sentence first, not two rounds
    return row.token not in warned and not refused_anyway
