"""searchOrders and getOrder of Orders API 2026-01-01: parameter rules, page tokens, the gate for roles."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stores.simulator.answers import Answer, Refusal, as_json, denied, error, invalid, not_found
from stores.simulator.clock import stamp, whole_milliseconds
from stores.simulator.faults import SEARCH, TOKEN, Fault
from stores.simulator.marketplaces import Seller
from stores.simulator.orders import SimOrder
from stores.simulator.rendering import DATASETS, PERSONAL_DATASETS, Page
from stores.simulator.request import Request
from stores.simulator.world import World

LAG = timedelta(minutes=2)  # how close to the present the upper bound may come
TOKEN_LIFE = timedelta(hours=24)
HISTORY = timedelta(days=2 * 365)
_LONG_HISTORY = ("JP", "AU", "SG")  # since 2016
ORDER_ID = re.compile(r"\d{3}-\d{7}-\d{7}")
STATUSES = frozenset(
    [
        "PENDING_AVAILABILITY",
        "PENDING",
        "UNSHIPPED",
        "PARTIALLY_SHIPPED",
        "SHIPPED",
        "CANCELLED",
        "UNFULFILLABLE",
    ]
)
# These stay the same from page to page.
_KNOWN = (
    "createdAfter",
    "createdBefore",
    "lastUpdatedAfter",
    "lastUpdatedBefore",
    "fulfillmentStatuses",
    "marketplaceIds",
    "fulfilledBy",
)


@dataclass(frozen=True)
class Snapshot:
    """What a page token stands for: the ids that fitted the window when first asked, and where to go on."""

    seller_id: str
    parameters: tuple[tuple[str, str], ...]
    ids: tuple[str, ...]
    offset: int
    bound: datetime
    until: datetime


def search_orders(world: World, request: Request) -> Answer:
    datasets = _datasets(request)
    family, after, before = _window(world, request)
    wanted = _filters(request, request.seller)
    size = request.number("maxResultsPerPage", 100, 1, 100)
    _check_role(world, request.seller, datasets)
    token = request.query.get("paginationToken")
    if token is None:
        snapshot = _first(world, request, family, after, before, wanted)
    else:
        snapshot = _resumed(world, request, token)
    return _page(world, request.seller, snapshot, size, family, datasets)


def get_order(world: World, request: Request) -> Answer:
    order_id = request.path_values["orderId"]
    if not ORDER_ID.fullmatch(order_id):
        raise invalid("Invalid order id.", "An order id has the form 3-7-7.")
    datasets = _datasets(request)
    _check_role(world, request.seller, datasets)
    order = world.orders.get(order_id)
    if order is None or order.seller_id != request.seller.seller_id or not world.shows(order, world.clock.now()):
        raise not_found("The order was not found.")
    return as_json({"order": _view(world, request.seller, datasets).order(order)})


def _view(world: World, seller: Seller, datasets: frozenset[str]) -> Page:
    return Page(
        datasets=datasets,
        now=world.clock.now(),
        pii_role=seller.pii_role,
        leaky_afn=world.leaky_afn,
        negative_discounts=world.negative_discounts,
        files_url=world.files_url,
    )


def _check_role(world: World, seller: Seller, datasets: frozenset[str]) -> None:
    if not seller.pii_role and world.missing_role == "refuse" and datasets & PERSONAL_DATASETS:
        message = "The application has no role for the requested data."
        raise Refusal(error(403, "AccessDeniedException", message))


def _datasets(request: Request) -> frozenset[str]:
    asked = frozenset(request.items("includedData"))
    if not asked <= DATASETS:
        raise invalid("includedData has an unknown value.")
    return asked


def _instant(request: Request, name: str) -> datetime | None:
    text = request.query.get(name)
    if text is None:
        return None
    try:
        return whole_milliseconds(datetime.fromisoformat(text.strip()))
    except ValueError:
        raise invalid(f"{name} is not an ISO 8601 date-time.") from None


def _window(world: World, request: Request) -> tuple[str, datetime, datetime]:
    """("created" or "lastUpdated", after, before): exactly one family, the upper bound two minutes old."""
    families = {
        family
        for family in ("created", "lastUpdated")
        if f"{family}After" in request.query or f"{family}Before" in request.query
    }
    if len(families) != 1:
        raise invalid("Exactly one of createdAfter and lastUpdatedAfter is required, and the two do not mix.")
    family = families.pop()
    after, before = _instant(request, f"{family}After"), _instant(request, f"{family}Before")
    newest = world.clock.now() - LAG
    if after is None:
        raise invalid(f"{family}After is required.")
    if after > world.clock.now():
        raise invalid(f"{family}After lies in the future.")
    if before is not None and before > newest:
        raise invalid(f"{family}Before must be at least two minutes before the time of the request.")
    if before is not None and before < after:
        raise invalid(f"{family}Before must not be earlier than {family}After.")
    return family, after, before or newest


def _filters(request: Request, seller: Seller) -> dict[str, frozenset[str]]:
    statuses = frozenset(request.items("fulfillmentStatuses"))
    channels = frozenset(request.items("fulfilledBy"))
    markets = request.items("marketplaceIds")
    if not statuses <= STATUSES:
        raise invalid("fulfillmentStatuses has an unknown value.")
    if not channels <= {"MERCHANT", "AMAZON"}:
        raise invalid("fulfilledBy has an unknown value.")
    if len(markets) > 50:
        raise invalid("marketplaceIds takes at most 50 values.")
    if not set(markets) <= set(seller.marketplace_ids):
        raise denied()
    return {"statuses": statuses, "channels": channels, "markets": frozenset(markets)}


def _fits(order: SimOrder, wanted: dict[str, frozenset[str]], markets: dict[str, str]) -> bool:
    return (
        (not wanted["statuses"] or order.status in wanted["statuses"])
        and (not wanted["channels"] or order.fulfilled_by in wanted["channels"])
        and (not wanted["markets"] or markets.get(order.marketplace) in wanted["markets"])
    )


def _parameters(request: Request) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, request.query[name]) for name in _KNOWN if name in request.query))


def _first(
    world: World,
    request: Request,
    family: str,
    after: datetime,
    before: datetime,
    wanted: dict[str, frozenset[str]],
) -> Snapshot:
    seller = request.seller
    markets = dict(zip(seller.marketplaces, seller.marketplace_ids, strict=True))
    ids = []
    for order in world.visible(seller.seller_id):
        moment = order.updated if family == "lastUpdated" else order.created
        kept = order.marketplace in _LONG_HISTORY or order.created > world.clock.now() - HISTORY
        if kept and after <= moment <= before and _fits(order, wanted, markets):
            ids.append(order.order_id)
    until = world.clock.now() + TOKEN_LIFE
    return Snapshot(seller.seller_id, _parameters(request), tuple(ids), 0, before, until)


def _resumed(world: World, request: Request, token: str) -> Snapshot:
    snapshot = world.pages.get(token)
    refused = world.faults.take("searchOrders", TOKEN) is not None
    if refused or snapshot is None or snapshot.seller_id != request.seller.seller_id:
        raise invalid("The pagination token is not valid.")
    if world.clock.now() >= snapshot.until:
        raise invalid("The pagination token has expired.")
    if snapshot.parameters != _parameters(request):
        raise invalid("The pagination token belongs to other parameters.")
    return snapshot


def _page(world: World, seller: Seller, snapshot: Snapshot, size: int, family: str, datasets: frozenset[str]) -> Answer:
    fault = world.faults.take("searchOrders", SEARCH)
    view = _view(world, seller, datasets)
    chosen = snapshot.ids[snapshot.offset : snapshot.offset + size]
    orders = [view.order(world.orders[order_id]) for order_id in chosen]
    asker = (seller.seller_id, datasets)
    world.replica.saw(asker, orders)
    if fault and fault.kind == "stale_echo":
        orders += world.replica.older(asker, fault.options.get("orders", 20))
    data: dict[str, Any] = {"orders": orders}
    offset = _next_offset(snapshot, size, fault)
    if offset is not None:
        data["pagination"] = {"nextToken": _keep(world, snapshot, offset)}
    data[f"{family}Before"] = stamp(_bound(snapshot.bound, fault))
    return as_json(data)


def _next_offset(snapshot: Snapshot, size: int, fault: Fault | None) -> int | None:
    following = snapshot.offset + size
    kind = fault.kind if fault else ""
    if kind == "repeat_page":
        return snapshot.offset
    if following >= len(snapshot.ids) and kind == "endless":
        return 0 if fault and fault.options.get("wrap") else len(snapshot.ids)
    return following if following < len(snapshot.ids) else None


def _bound(bound: datetime, fault: Fault | None) -> datetime:
    if fault is None or fault.kind not in ("bound_ahead", "bound_back"):
        return bound
    shift = timedelta(seconds=fault.options.get("seconds", 3 * 3600))
    return bound + shift if fault.kind == "bound_ahead" else bound - shift


def _keep(world: World, snapshot: Snapshot, offset: int) -> str:
    now = world.clock.now()
    for old in [token for token, kept in world.pages.items() if kept.until < now - TOKEN_LIFE]:
        del world.pages[old]
    token = f"{world.random.getrandbits(160):040x}"
    world.pages[token] = Snapshot(
        snapshot.seller_id, snapshot.parameters, snapshot.ids, offset, snapshot.bound, now + TOKEN_LIFE
    )
    return token
