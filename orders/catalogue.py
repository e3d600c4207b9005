"""Looking products up in Amazon's catalogue: once for each marketplace and ASIN, whichever stores sell it.

A question is a row of CatalogueItem that is due. It is asked through any working account that sells in the marketplace,
out of that account's bucket; a call that fails leaves its questions where they were, to be asked again later.
"""

import re
import time
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from orderhub import clock
from orderhub.errors import ConnectorError, RequestRejected, UnexpectedAnswer
from orders import photos
from orders.models import CatalogueItem
from stores import marketplaces
from stores.connecting import connector_for
from stores.connectors.amazon.catalogue import RemoteProduct
from stores.connectors.base import OrderPage
from stores.models import AmazonAccount

State = CatalogueItem.State
BATCH = 20  # ASINs Amazon takes in one call
CALLS_BEFORE_A_PAGE, SECONDS_BEFORE_A_PAGE = 5, 5
AGAIN_FOUND = timedelta(days=30)
AGAIN_MISSING, AGAIN_STILL_MISSING = timedelta(days=7), timedelta(days=30)
AGAIN_FAILED, MOST_DOUBLINGS = timedelta(hours=1), 9
ANSWERED = [
    "state", "title", "is_physical", "image_url", "image", "image_error", "weight_g", "length_mm", "width_mm",
    "height_mm", "looked_up_at", "next_lookup_at", "attempts",
]  # fmt: skip
_ASIN = re.compile(r"[A-Za-z0-9]{1,20}")  # what may stand in a list of them


def look_up_due(*, now: datetime, budget_s: float) -> Counter:
    """Ask what is due, until it is all answered, no bucket has a token left or the seconds are used up.

    Returns how many were found, missing, failed, and `left` waiting. Safe to repeat and to kill: each answer is written at
    once.
    """
    counts, until = Counter(), time.monotonic() + budget_s
    due = CatalogueItem.objects.filter(next_lookup_at__lte=now)
    for code in due.order_by("marketplace").values_list("marketplace", flat=True).distinct():
        askers = sellers_in(code)
        while askers and time.monotonic() < until:
            batch = _batch(due.filter(marketplace=code))
            if not batch:
                break
            try:
                counts += ask(askers[0], code, batch, now=now)
            except (RequestRejected, UnexpectedAnswer):
                counts["failed"] += _wait(batch, now=now)
            except ConnectorError:  # this account cannot ask now: busy, refused, or without the right to the catalogue
                askers.pop(0)
    counts["left"] = due.count()
    return counts


def sellers_in(code: str) -> list[AmazonAccount]:
    """Working accounts with a store in this marketplace."""
    return list(AmazonAccount.objects.working().filter(stores__marketplace=code).distinct().order_by("pk"))


def _batch(due) -> list[CatalogueItem]:
    """The longest waiting ones together; one that failed before is asked alone, so that it holds nobody up."""
    rows = list(due.order_by("next_lookup_at", "pk")[:BATCH])
    return rows[:1] if rows and rows[0].attempts else [row for row in rows if not row.attempts]


def ask(account: AmazonAccount, code: str, items: list[CatalogueItem], *, now: datetime) -> Counter:
    """One call for up to 20 ASINs, its answer kept. The errors of orderhub/errors.py pass; then nothing is written."""
    asins = [item.asin for item in items if _ASIN.fullmatch(item.asin)]
    found = connector_for(account).products(marketplaces.BY_CODE[code].id, asins) if asins else {}
    pictures = {item.image.name or "" for item in items}
    for item in items:
        if item.asin in found:
            _found(item, found[item.asin], now=now)
        else:
            _missing(item, now=now)
    with transaction.atomic():  # whoever asked the same at the same time has the same answer
        CatalogueItem.objects.bulk_create(
            sorted(items, key=lambda item: item.asin),
            update_conflicts=True,
            unique_fields=["marketplace", "asin"],
            update_fields=ANSWERED,
        )
        photos.forget(pictures - {item.image.name or "" for item in items})
    return Counter(item.state for item in items)


def _found(item: CatalogueItem, answer: RemoteProduct, *, now: datetime) -> None:
    item.state, item.attempts = State.FOUND, 0
    item.title, item.weight_g = answer.title, answer.weight_g
    item.length_mm, item.width_mm, item.height_mm = answer.length_mm, answer.width_mm, answer.height_mm
    digital = {kind.upper() for kind in settings.DIGITAL_PRODUCT_TYPES} & {
        kind.upper() for kind in answer.product_types
    }
    item.is_physical = False if digital else None  # no list of Amazon's says what is physical: unknown counts as such
    if answer.image_url != item.image_url:
        item.image_url, item.image, item.image_error = answer.image_url, "", ""  # products keep the old one till then
    item.looked_up_at, item.next_lookup_at = now, now + AGAIN_FOUND


def _missing(item: CatalogueItem, *, now: datetime) -> None:
    """What an earlier answer said stays: products go out of the catalogue while their orders are still here."""
    wait = AGAIN_STILL_MISSING if item.state == State.MISSING else AGAIN_MISSING
    item.state, item.attempts = State.MISSING, 0
    item.looked_up_at, item.next_lookup_at = now, now + wait


def _wait(items: list[CatalogueItem], *, now: datetime) -> int:
    """Longer after each failure: an hour, then twice as long each time, three weeks at most."""
    with transaction.atomic():
        for item in items:
            wait = AGAIN_FAILED * 2 ** min(item.attempts, MOST_DOUBLINGS)
            item.attempts, item.next_lookup_at = item.attempts + 1, now + wait
        CatalogueItem.objects.bulk_update(items, ["attempts", "next_lookup_at"])
    return len(items)


def look_up_first(account: AmazonAccount, page: OrderPage) -> None:
    """Ask, before a page of orders is written, for what its open merchant orders sell and nobody ever asked for.

    So that an order of files only is left out at once (R24). As good as it goes: five calls at most, none begun after 5 s,
    while the account's bucket has tokens; whatever fails stays unknown, and unknown counts as physical. Call outside a transaction.
    """
    now, calls, until = clock.now(), 0, time.monotonic() + SECONDS_BEFORE_A_PAGE
    for code, asins in _never_asked(account, page).items():
        for start in range(0, len(asins), BATCH):
            if calls == CALLS_BEFORE_A_PAGE or time.monotonic() > until:
                return
            batch = [CatalogueItem(marketplace=code, asin=asin) for asin in asins[start : start + BATCH]]
            calls += 1
            try:
                ask(account, code, batch, now=now)
            except (RequestRejected, UnexpectedAnswer):
                continue
            except ConnectorError:  # the next call would fail alike
                return


def _never_asked(account: AmazonAccount, page: OrderPage) -> dict[str, list[str]]:
    """ASINs by marketplace, of the account's active stores. Two queries."""
    codes = set(account.stores.filter(active=True).values_list("marketplace", flat=True))
    wanted = {
        (market.code, item.asin)
        for order in page.orders
        if order.fulfilled_by == "MFN" and order.status not in {"SHIPPED", "CANCELLED", "UNFULFILLABLE"}
        if (market := marketplaces.BY_ID.get(order.marketplace_id)) and market.code in codes
        for item in order.items
        if item.quantity > 0 and _ASIN.fullmatch(item.asin)
    }
    asked = CatalogueItem.objects.filter(asin__in={asin for _code, asin in wanted}).exclude(
        state=State.WAITING, looked_up_at__isnull=True
    )
    open_ = sorted(wanted - set(asked.values_list("marketplace", "asin"))) if wanted else []
    return {code: [asin for other, asin in open_ if other == code] for code in sorted({code for code, _asin in open_})}
