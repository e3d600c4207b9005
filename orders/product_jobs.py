"""The clock's door to products: what Amazon says of them, and how many there are."""

import time

from orderhub import clock
from orderhub.jobs import CALLS_S, enqueue, every
from orders import catalogue, photos, products, stock

LOOKING_S = CALLS_S / 2  # the rest is for photos


@every(minutes=5)
def enrich_products() -> str:
    """Ask the catalogue what is due, let products and orders follow, fetch photos."""
    now, started = clock.now(), time.monotonic()
    counts = catalogue.look_up_due(now=now, budget_s=LOOKING_S)
    applied = found = products.apply_found(now=now)
    while found == products.MOST_AT_ONCE:
        found = products.apply_found(now=now)
        applied += found
    weighed, held = products.settle_new(now=now), products.hold_not_physical(now=now)
    fetched, refused = photos.fetch_missing(budget_s=CALLS_S - (time.monotonic() - started))
    if counts["left"] and counts["found"] + counts["missing"]:  # no token is left: the next run finds some
        enqueue(enrich_products)
    return (
        f"{counts['found']} found, {counts['missing']} missing, {counts['failed']} failed, {counts['left']} left; "
        f"{applied} products, {weighed} orders weighed, {held} held; photos: {fetched} fetched, {refused} refused"
    )


@every(minutes=60)
def refresh_stock() -> str:
    """Ask Amazon what it still has for sale of what open orders contain."""
    report = stock.refresh_due(now=clock.now(), budget_s=CALLS_S)
    if report.left and report.asked:
        enqueue(refresh_stock)
    return report.sentence()
