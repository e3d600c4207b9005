"""Webhooks, as version 1 subscribes to them. What is sent, and how it is proved to be ours: orderhub/webhooks."""

from orderhub.rest import scopes
from orderhub.shipstation import stores, values
from orderhub.shipstation.calls import Call, Refused, Wrong
from orderhub.shipstation.dispatching import route
from orderhub.webhooks import subscribing
from orderhub.webhooks.models import Endpoint, Surface

KNOWN: values.Known = dict.fromkeys(("target_url", "event", "store_id", "friendly_name"))


@route("POST", "/webhooks/subscribe", scope=scopes.WEBHOOKS)
def subscribed(call: Call) -> tuple[dict, int]:
    """201, and the number under both of the names clients look for. The same wish again is the same number."""
    values.note_unknown(call, call.body, KNOWN)
    url, event = (values.text(values.field(call.body, name)) for name in ("target_url", "event"))
    missing = {name: [f"{name} is required."] for name, value in (("target_url", url), ("event", event)) if not value}
    if missing:
        raise Wrong(missing)
    told = values.field(call.body, "store_id")
    store_id = None if values.absent(told) or values.integer(told) == 0 else stores.one(call, values.integer(told)).pk
    name = values.text(values.field(call.body, "friendly_name"))
    endpoint = subscribing.subscribe(
        call.key, url=url, event=event.upper(), store_id=store_id, name=name, now=call.now
    )  # fmt: skip
    return {"id": endpoint.pk, "WebHookID": endpoint.pk}, 201


@route("GET", "/webhooks", scope=scopes.WEBHOOKS)
def listed(call: Call) -> dict:
    found = subscribing.endpoints_of(call.key).filter(surface=Surface.SHIPSTATION)
    return {"webhooks": [_shape(endpoint) for endpoint in found]}


@route("DELETE", "/webhooks/{id}", scope=scopes.WEBHOOKS)
def unsubscribed(call: Call) -> dict:
    if not subscribing.unsubscribe(call.key, call.path_id, now=call.now):
        raise Refused("There is no webhook of this number.", status=404)
    return {"success": True, "message": "The webhook is deleted."}


def _shape(endpoint: Endpoint) -> dict:
    """With big initials, as clients look for them."""
    return {
        "WebHookID": endpoint.pk, "HookType": (endpoint.events or [""])[0],
        "StoreID": endpoint.store_ids[0] if len(endpoint.store_ids) == 1 else None,
        "Url": endpoint.url, "Name": endpoint.name, "Active": endpoint.active, "MessageFormat": "Json",
        "IsLabelAPIHook": False, "SellerID": 0, "BulkCopyBatchID": None, "BulkCopyRecordID": None, "WebhookLogs": [],
        "Seller": None, "Store": None,
    }  # fmt: skip
