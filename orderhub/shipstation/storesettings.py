"""What version 1 changes of a store: how it is called, what buyers see of it, and whether it takes orders in."""

from django.db import transaction

from orderhub.rest import scopes
from orderhub.shipstation import history, stores, values
from orderhub.shipstation.calls import Call, Refused, Wrong
from orderhub.shipstation.dispatching import route
from privacy.models.event import EventCode
from stores import forms_store, historywords, saving
from stores.models import Store

FIELDS = {  # of version 1, and what they are called here; whatever else a store has stays as it is
    "storeName": "name", "companyName": "brand_name", "phone": "brand_phone", "publicEmail": "brand_from_email",
    "website": "brand_site",
}  # fmt: skip


@route("PUT", "/stores/{id}", scope=scopes.STORES_WRITE, aliases=("PUT /stores/storeid",))
def changed(call: Call) -> dict:
    """Clients send the whole store back: what they may not change is passed over."""
    number = call.path_id if call.path_id is not None else stores.given_id(call)
    store = stores.one(call, number)
    values.note_unknown(call, call.body, dict.fromkeys([*stores.whole(call, store), *FIELDS]))
    sent = {name: values.field(call.body, name) for name in FIELDS if values.has(call.body, name)}
    wished = {FIELDS[name]: values.text(value) for name, value in sent.items()}
    with transaction.atomic():
        form = forms_store.with_changes(store, wished)
        if not form.is_valid():
            raise Wrong(_in_their_words(form.errors))
        if names := form.changed_data:
            saving.write(store, names)
            saving.follow(store, names)
            history.changed(call, store, historywords.changed(*names), code=EventCode.STORE_CHANGED)
    return stores.whole(call, stores.one(call, store.pk))


def _in_their_words(errors: dict) -> dict[str, list[str]]:
    """A form's refusals by the client's names of the fields."""
    theirs = {ours: name for name, ours in FIELDS.items()}
    return {theirs.get(name, "store"): [str(text) for text in texts] for name, texts in errors.items()}


@route("POST", "/stores/deactivate", scope=scopes.STORES_WRITE)
def deactivated(call: Call) -> dict:
    return _switched(call, active=False, told="The requested store has been deactivated.")


@route("POST", "/stores/reactivate", scope=scopes.STORES_WRITE)
def reactivated(call: Call) -> dict:
    return _switched(call, active=True, told="The requested store has been reactivated.")


def _switched(call: Call, *, active: bool, told: str) -> dict:
    number = stores.given_id(call)
    if number is None:
        raise Refused("Say which store: storeId is required.", status=400)
    store: Store = stores.one(call, number)
    with transaction.atomic():
        if saving.switch(store, active=active):
            history.changed(call, store, historywords.changed("active"), code=EventCode.STORE_CHANGED)
    return {"success": True, "message": told}
