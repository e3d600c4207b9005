"""Stores, as version 1 lists and refreshes them."""

from datetime import datetime

from orderhub.rest import scopes
from orderhub.shipstation import instants, values
from orderhub.shipstation.calls import Call, Refused, Wrong
from orderhub.shipstation.dispatching import route
from stores import health
from stores.models import AmazonAccount, Store

# Numbers of version 1: 0 and 2 are ShipStation's, as its clients know them; the others are ours
MARKETPLACES = {
    Store.Platform.MANUAL: (0, "Manual"),
    Store.Platform.AMAZON: (2, "Amazon"),
    Store.Platform.HANDMADE: (9001, "Amazon Handmade"),
    Store.Platform.BIGCOMMERCE: (9002, "BigCommerce"),
}
NOTHING, QUEUED, UPDATING, STOPPED = (1, "Idle"), (2, "Queued"), (3, "Updating orders"), (4, "Stopped")


def rows(call: Call):
    """The stores this key sees."""
    return Store.objects.filter(pk__in=call.stores).select_related("account").order_by("pk")


def one(call: Call, number: int | None) -> Store:
    """The store of this number. Refused (404) for what the key does not see."""
    found = rows(call).filter(pk=number).first() if number is not None else None
    if found is None:
        raise Refused("There is no store of this number.", status=404)
    return found


def given_id(call: Call) -> int | None:
    """`storeId`, out of the address or the body; None where neither names one."""
    told = call.query.get("storeid") or values.field(call.body, "storeId")
    number = values.integer(told)
    if number is None and not values.absent(told):
        raise Wrong({"storeId": ["storeId is a number."]})
    return number


@route("GET", "/stores", scope=scopes.STORES_READ)
def listed(call: Call) -> list[dict]:
    found = rows(call)
    if not values.boolean(call.query.get("showinactive")):
        found = found.filter(active=True)
    kind = values.integer(call.query.get("marketplaceid"))
    if kind is not None:
        found = found.filter(
            platform__in=[platform for platform, (number, _name) in MARKETPLACES.items() if number == kind]
        )
    return [shape(call, store) for store in found]


@route("GET", "/stores/{id}", scope=scopes.STORES_READ)
def shown(call: Call) -> dict:
    return whole(call, one(call, call.path_id))


@route("GET", "/stores/marketplaces", scope="")
def marketplaces(call: Call) -> list[dict]:
    """The kinds of stores there are."""
    return [
        {
            "name": name, "marketplaceId": number, "canRefresh": platform == Store.Platform.AMAZON,
            "supportsCustomMappings": platform == Store.Platform.AMAZON, "supportsCustomStatuses": True,
            "canConfirmShipments": platform == Store.Platform.AMAZON,
        }
        for platform, (number, name) in MARKETPLACES.items()
    ]  # fmt: skip


@route(
    "POST", "/stores/refreshstore", scope=scopes.ORDERS_WRITE,
    aliases=("GET /stores/refreshstore", "POST /stores/refresh"),
)  # fmt: skip
def refreshed(call: Call) -> dict:
    """The import of the store's account is due now; of every account, where no store is named."""
    number = given_id(call)
    chosen = list(rows(call)) if number is None else [one(call, number)]
    accounts = {store.account_id: store.account for store in chosen if store.account_id}
    if not accounts:
        raise Refused("No marketplace sends orders to this store: there is nothing to refresh.", status=400)
    if not AmazonAccount.objects.filter(pk__in=accounts).poll_now(call.now):
        raise Refused(health.words(next(iter(accounts.values()))), status=400)
    return {"success": True, "message": "The import is due: it begins within about a minute, as Amazon's limits allow."}


@route("GET", "/stores/getrefreshstatus", scope=scopes.STORES_READ)
def refresh_status(call: Call) -> dict:
    number = given_id(call)
    if number is None:
        raise Wrong({"storeId": ["storeId is required."]})
    store = one(call, number)
    status, word = _status(store.account, call.now)
    return {"storeId": store.pk, "refreshStatusId": status, "refreshStatus": word, **_refreshes(call, store)}


def _status(account: AmazonAccount | None, now: datetime) -> tuple[int, str]:
    if account is None:
        return NOTHING
    if account.status != account.Status.ACTIVE:
        return STOPPED
    if account.window_after is not None:
        return UPDATING
    return QUEUED if account.next_poll_at is None or account.next_poll_at <= now else NOTHING


def _refreshes(call: Call, store: Store) -> dict:
    """Both in the zone of the key: how far orders are known, and when Amazon was last asked."""
    account = store.account
    return {
        "refreshDate": instants.written(account.imported_until if account else None, call.key),
        "lastRefreshAttempt": instants.written(account.last_poll_at if account else None, call.key),
    }


def shape(call: Call, store: Store) -> dict:
    """A row of the list. `modifyDate` is the store's beginning: no later change of it is kept by date."""
    number, name = MARKETPLACES[Store.Platform(store.platform)]
    account = store.account
    made = instants.written(store.created_at, call.key)
    return {
        "storeId": store.pk, "storeName": store.name, "marketplaceId": number, "marketplaceName": name,
        "accountName": account.selling_partner_id if account else None, "email": None, "integrationUrl": None,
        "active": store.active, "companyName": store.brand_name, "phone": store.brand_phone,
        "publicEmail": store.brand_from_email, "website": store.brand_site, **_refreshes(call, store),
        "createDate": made, "modifyDate": made,
        "autoRefresh": store.active and account is not None and account.status == account.Status.ACTIVE,
    }  # fmt: skip


def whole(call: Call, store: Store) -> dict:
    """One store by itself, with what its marketplace's statuses mean."""
    known = store.status_map.order_by("name").values_list("status", "name")
    return shape(call, store) | {
        "statusMappings": [{"orderStatus": status, "statusKey": name} for status, name in known]
    }
