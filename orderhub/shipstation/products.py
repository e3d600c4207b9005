"""Products, as version 1 lists and changes them. Weights there are ounces, sides inches."""

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from orderhub.rest import scopes
from orderhub.shipstation import history, instants, lists, measures, values
from orderhub.shipstation.calls import Call, Refused, Wrong
from orderhub.shipstation.dispatching import route
from orders import products
from orders.forms_products import ProductForm
from orders.models import Product
from privacy.models.event import EventCode

SORTS = {"sku": "sku", "modifydate": "changed", "createdate": "created_at"}
SIDES = {"length": "length_mm", "width": "width_mm", "height": "height_mm"}
TEXTS = {"name": "title", "warehouseLocation": "warehouse_location"}
NOT_KEPT = (  # of a product, as version 1 knows it
    "price", "defaultCost", "internalNotes", "fulfillmentSku", "productCategory", "productType", "defaultCarrierCode",
    "defaultServiceCode", "defaultPackageCode", "defaultIntlCarrierCode", "defaultIntlServiceCode",
    "defaultIntlPackageCode", "defaultConfirmation", "defaultIntlConfirmation", "customsDescription", "customsValue",
    "customsTariffNo", "customsCountryCode", "noCustoms", "tags", "aliases",
)  # fmt: skip


def rows(call: Call) -> QuerySet[Product]:
    """The products of the key's stores."""
    return _dated(Product.objects.filter(store__in=call.stores))


def _dated(found: QuerySet[Product]) -> QuerySet[Product]:
    """With `changed`: when the catalogue last said something, else when it was made."""
    return found.annotate(changed=Coalesce("looked_up_at", "created_at"))


def _one(call: Call) -> Product:
    found = rows(call).select_related("store").filter(pk=call.path_id).first()
    if found is None:
        raise Refused("There is no product of this number.", status=404)
    return found


@route("GET", "/products", scope=scopes.PRODUCTS_READ)
def listed(call: Call) -> dict:
    found, query = rows(call), call.query
    if query.get("sku"):
        found = found.filter(sku__iexact=query["sku"])
    if query.get("name"):
        found = found.filter(title__icontains=query["name"])
    for name, lookup in (("startdate", "created_at__gte"), ("enddate", "created_at__lt")):
        at = instants.of_query(call, name, end=name == "enddate")
        if at is not None:
            found = found.filter(**{lookup: at})
    found = lists.sorted_by(call, found, SORTS, usual="sku")
    return lists.page_of(call, found, "products", _dated, lambda page: [_shape(call, row) for row in page])


@route("GET", "/products/{id}", scope=scopes.PRODUCTS_READ)
def shown(call: Call) -> dict:
    return _shape(call, _one(call))


@route("PUT", "/products/{id}", scope=scopes.PRODUCTS_WRITE)
def changed(call: Call) -> dict:
    """Clients send the whole product back: what staff may say of one is taken, the rest is passed over."""
    product = _one(call)
    values.note_unknown(call, call.body, dict.fromkeys(_shape(call, product)))
    kept = {name: getattr(product, name) for name in ProductForm.Meta.fields}
    form = ProductForm(
        {name: value for name, value in (kept | _wished(call, product)).items() if value}, instance=product
    )
    if not form.is_valid():
        theirs = {"weight_g": "weightOz"} | {ours: name for name, ours in (TEXTS | SIDES).items()}
        raise Wrong({theirs.get(name, "product"): [str(text) for text in texts] for name, texts in form.errors.items()})
    names = form.changed_data
    if names:
        products.keep_details(product, names, now=call.now)
        labels = [str(Product._meta.get_field(name).verbose_name) for name in names]
        history.changed(call, product, [{"changed": {"fields": labels}}], code=EventCode.SETTINGS_CHANGED)
    return {"success": True, "message": "The requested product has been updated"}


def _wished(call: Call, product: Product) -> dict:
    """Ours by name. A weight or side that comes back as it went out is no change, whatever rounding did to it."""
    shown_now = _shape(call, product)
    wished: dict = {
        ours: values.text(values.field(call.body, name)) for name, ours in TEXTS.items() if values.has(call.body, name)
    }
    numbers = {"weightOz": ("weight_g", measures.GRAMS["ounces"])} | {
        name: (ours, measures.MILLIMETRES["inches"]) for name, ours in SIDES.items()
    }
    for name, (ours, factor) in numbers.items():
        if not values.has(call.body, name):
            continue
        told = values.field(call.body, name)
        number = values.number(told)
        if number is None and not values.absent(told):
            raise Wrong({name: [f"{name} is a number."]})
        shown = shown_now[name]
        if (None if number is None else float(number)) != shown:
            wished[ours] = round(float(number) * factor) if number else None
    return wished


def _shape(call: Call, row: Product) -> dict:
    return {
        "productId": row.pk, "sku": row.sku or row.key, "name": row.title,
        **{name: measures.inches(getattr(row, ours)) for name, ours in SIDES.items()},
        "weightOz": measures.ounces(row.weight_g),
        "warehouseLocation": row.warehouse_location or None, "active": True,
        "createDate": instants.written(row.created_at, call.key), "modifyDate": instants.written(row.changed, call.key),
        **dict.fromkeys(NOT_KEPT),
    }  # fmt: skip
