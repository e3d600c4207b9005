"""What becomes of an order of each kind in this store, in words: channel and status at Amazon, and the store's switches.

It describes the rules of importing (rules R23 to R29, R38); tests/orders/test_import_matrix.py imports every kind and
compares. `reason` is the code under which left-out orders are counted.
"""

from dataclasses import dataclass

from django.db.models import Count
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from stores.models import CanonicalStatus, Store

MERCHANT, AMAZON = "MFN", "AFN"
UNPAID = ("PENDING_AVAILABILITY", "PENDING")
OPEN = ("UNSHIPPED", "PARTIALLY_SHIPPED")
SHIPPED = ("SHIPPED",)
ENDED = ("CANCELLED", "UNFULFILLABLE")
MEANS = {UNPAID: "awaiting_payment", OPEN: "awaiting_shipment", SHIPPED: "shipped", ENDED: "cancelled"}


@dataclass(frozen=True)
class Outcome:
    """`status`: taken in as this canonical status; '' where it is left out, for `reason`."""

    status: str = ""
    reason: str = ""


def outcome(store: Store, channel: str, statuses: tuple[str, ...]) -> Outcome:
    """What becomes of an order with something physical in it, seen for the first time. `statuses`: a key of MEANS."""
    if not store.active:
        return Outcome(reason="inactive")
    if channel == MERCHANT:
        return Outcome(MEANS[statuses])
    if not store.import_afn:
        return Outcome(reason="afn_off")
    return Outcome("shipped") if statuses == SHIPPED else Outcome(reason="afn_not_shipped")


def files_only(store: Store, statuses: tuple[str, ...]) -> Outcome:
    """What becomes of a merchant's order in which Amazon's catalogue knows nothing physical."""
    if store.active and statuses in (UNPAID, OPEN):
        return Outcome(reason="not_physical")
    return outcome(store, MERCHANT, statuses)


def rows(store: Store) -> list[dict]:
    """The table: who sends, status at Amazon, what becomes of it, and whether it is taken in."""
    merchant = [
        _row(_("The merchant"), _status_words()[statuses], outcome(store, MERCHANT, statuses), _remark(statuses))
        for statuses in MEANS
    ]
    digital = _row(_("The merchant"), _("Nothing physical in it, not shipped yet"), files_only(store, OPEN))
    amazon = [
        _row(
            _("Amazon (FBA)"), _status_words()[SHIPPED], outcome(store, AMAZON, SHIPPED), _("without names or streets")
        ),
        _row(_("Amazon (FBA)"), _("Anything else"), outcome(store, AMAZON, OPEN)),
    ]
    return [*merchant, digital, *amazon]


def left_out(store: Store, *, linked: bool) -> list[dict]:
    """How many orders of this store were left out, by reason, commonest first; one query. `linked`: with their list."""
    counts = store.skipped.order_by().values("reason").annotate(count=Count("pk")).order_by("-count", "reason")
    page = reverse("admin:orders_skippedorder_changelist")
    return [
        {
            "reason": left_out_words(row["reason"]),
            "count": row["count"],
            "url": f"{page}?{urlencode({'store': store.pk, 'reason': row['reason']})}" if linked else "",
        }
        for row in counts
    ]


def _row(channel: str, status: str, found: Outcome, remark: str = "") -> dict:
    if not found.status:
        return {"channel": channel, "status": status, "taken": False, "words": left_out_words(found.reason)}
    word = CanonicalStatus(found.status).label
    words = f"{word} ({remark})" if remark else str(word)
    return {"channel": channel, "status": status, "taken": True, "words": words}


def _status_words() -> dict[tuple[str, ...], str]:
    return {
        UNPAID: _("Pending: not paid or not available yet"),
        OPEN: _("Unshipped or partially shipped"),
        SHIPPED: _("Shipped"),
        ENDED: _("Cancelled or unfulfillable"),
    }


def _remark(statuses: tuple[str, ...]) -> str:
    return _("nothing is looked up in the catalogue") if statuses in (SHIPPED, ENDED) else ""


def left_out_words(reason: str) -> str:
    """Why an order is left out; the code itself where it is unknown."""
    return {
        "inactive": _("the store is not active"),
        "afn_off": _("this store does not import orders that Amazon sends"),
        "afn_not_shipped": _("Amazon has not sent it yet"),
        "not_physical": _("nothing in it is a physical product"),
    }.get(reason, reason)
