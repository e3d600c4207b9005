"""An order as Orders API 2026-01-01 shows it: datasets only when asked for, buyers' data through the gate."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from stores.simulator import customization
from stores.simulator.clock import stamp
from stores.simulator.marketplaces import MARKETPLACES
from stores.simulator.orders import SimAddress, SimItem, SimOrder, SimPackage

DATASETS = frozenset(
    [
        "BUYER",
        "RECIPIENT",
        "PROCEEDS",
        "EXPENSE",
        "PROMOTION",
        "CANCELLATION",
        "FULFILLMENT",
        "PACKAGES",
        "TAX",
        "PAYMENT",
        "FULFILLMENT_ORDERS",
    ]
)
PERSONAL_DATASETS = frozenset({"BUYER", "RECIPIENT"})
_WITH_ADDRESS = ("UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED")
_NO_DECIMALS = ("JPY",)
_POSTCODE_ALWAYS = ("JP",)
_PACKAGE_AGE_DELIVERED = 4  # days after which a parcel counts as delivered


def present(**values: Any) -> dict[str, Any]:
    """Only what there is: Amazon leaves absent fields out."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {}, ())}


class Page:
    """How one asker sees orders: which datasets, which rights, at what instant."""

    def __init__(
        self,
        *,
        datasets: frozenset[str],
        now: datetime,
        pii_role: bool,
        leaky_afn: bool = False,
        negative_discounts: bool = False,
        files_url: str = "",
    ) -> None:
        self.datasets = datasets
        self.now = now
        self.pii_role = pii_role
        self.leaky_afn = leaky_afn
        self.files_url = files_url
        self.sign = Decimal(-1 if negative_discounts else 1)

    def open(self, order: SimOrder) -> bool:
        """May this asker see who bought it?"""
        merchant = order.fulfilled_by == "MERCHANT" or self.leaky_afn
        return self.pii_role and merchant and order.status in _WITH_ADDRESS

    def order(self, order: SimOrder) -> dict[str, Any]:
        market = MARKETPLACES[order.marketplace]
        data = {
            "orderId": order.order_id,
            "orderAliases": [{"aliasId": order.seller_order_id, "aliasType": "SELLER_ORDER_ID"}],
            "createdTime": stamp(order.created),
            "lastUpdatedTime": stamp(order.updated),
            **present(programs=list(order.programs), associatedOrders=_replacement(order)),
            "salesChannel": {
                "channelName": order.channel_name,
                "marketplaceId": market.id,
                "marketplaceName": market.name,
            },
            **self._gated(order),
            "orderItems": [self._item(order, item, market.currency) for item in order.items],
        }
        return _merged(data, order.extra) if order.extra else data

    def _gated(self, order: SimOrder) -> dict[str, Any]:
        parts = {
            "BUYER": ("buyer", self._buyer),
            "RECIPIENT": ("recipient", self._recipient),
            "PROCEEDS": ("proceeds", self._proceeds),
            "PAYMENT": ("payment", _payment),
            "TAX": ("tax", self._tax),
            "FULFILLMENT": ("fulfillment", _fulfillment),
            "PACKAGES": ("packages", self._packages),
        }
        found = {name: build(order) for dataset, (name, build) in parts.items() if dataset in self.datasets}
        return present(**found)

    # --- people
    def _buyer(self, order: SimOrder) -> dict[str, Any]:
        if not self.open(order):
            return {}
        return present(
            buyerName=order.buyer_name,
            buyerEmail=order.buyer_email,
            buyerCompanyName=order.buyer_company,
            buyerPurchaseOrderNumber=order.purchase_order_number,
        )

    def _recipient(self, order: SimOrder) -> dict[str, Any]:
        if order.status not in _WITH_ADDRESS:
            return {}
        if not self.open(order):
            return {"deliveryAddress": _place(order.address)}
        address = _address(order.address)
        if order.status == "SHIPPED" and order.deliver_by and self.now > order.deliver_by:
            address.pop("phone", None)
        if order.fulfilled_by == "AMAZON":
            address.pop("phone", None)
        return present(deliveryAddress=address, deliveryPreference=_preference(order))

    def _tax(self, order: SimOrder) -> dict[str, Any]:
        if not order.tax_id or not self.open(order):
            return {}
        registration = present(
            entityType="BUYER",
            legalName=order.buyer_company,
            taxRegistrationType="BUSINESS",
            taxRegistrationNumber=order.tax_id,
        )
        return {"taxRegistrations": [registration]}

    # --- money
    def _proceeds(self, order: SimOrder) -> dict[str, Any]:
        currency = MARKETPLACES[order.marketplace].currency
        totals: dict[str, Decimal] = {}
        for item in order.items:
            for kind, amount, _ in self._amounts(item):
                totals[kind] = totals.get(kind, Decimal(0)) + amount
        lines = [{"type": kind, "subtotal": money(amount, currency)} for kind, amount in totals.items()]
        return {"grandTotal": money(order.total, currency), "breakdowns": lines}

    def _amounts(self, item: SimItem) -> list[tuple[str, Decimal, dict[str, Decimal]]]:
        amounts = [
            ("ITEM", item.unit_price * item.quantity, {}),
            ("SHIPPING", item.shipping, {}),
            ("GIFT_WRAP", item.gift_wrap_price, {}),
            ("COD_FEE", item.cod_fee, {}),
            ("OTHER", item.other, {}),
            (
                "TAX",
                item.taxes,
                {"ITEM": item.tax, "SHIPPING": item.shipping_tax, "GIFT_WRAP": item.gift_wrap_tax},
            ),
            (
                "DISCOUNT",
                item.discounts * self.sign,
                {"ITEM": item.discount * self.sign, "SHIPPING": item.shipping_discount * self.sign},
            ),
        ]
        return [entry for entry in amounts if entry[1] or entry[0] == "ITEM"]

    # --- lines
    def _item(self, order: SimOrder, item: SimItem, currency: str) -> dict[str, Any]:
        data = {
            "orderItemId": item.item_id,
            "quantityOrdered": item.quantity,
            **present(programs=list(item.programs)),
            "product": self._product(order, item, currency),
        }
        if "PROCEEDS" in self.datasets:
            data["proceeds"] = self._item_proceeds(item, currency)
        if "EXPENSE" in self.datasets and item.points:
            worth = money(Decimal(item.points), currency)
            points = {"pointsNumber": item.points, "pointsMonetaryValue": worth}
            data["expense"] = {"pointsCost": {"pointsGranted": points}}
        if "PROMOTION" in self.datasets and item.promotion_ids:
            data["promotion"] = {"breakdowns": [{"promotionId": name} for name in item.promotion_ids]}
        if "CANCELLATION" in self.datasets and (item.cancel_request or item.cancelled_by):
            data["cancellation"] = _cancellation(item)
        if "FULFILLMENT" in self.datasets:
            data["fulfillment"] = self._item_fulfillment(order, item)
        if "TAX" in self.datasets and item.facilitator_tax:
            collection = {"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon Services"}
            data["tax"] = {"taxCollections": [collection]}
        return _merged(data, item.extra) if item.extra else data

    def _product(self, order: SimOrder, item: SimItem, currency: str) -> dict[str, Any]:
        price: dict[str, Any] = {"unitPrice": money(item.unit_price, currency)}
        if item.business_price:
            price["priceDesignation"] = "BUSINESS_PRICE"
        product = {"asin": item.asin, "title": item.title, "sellerSku": item.sku, "price": price}
        if item.condition:
            product["condition"] = {"conditionType": item.condition, "conditionSubtype": item.condition}
        if item.serial_numbers and order.fulfilled_by == "AMAZON":
            product["serialNumbers"] = list(item.serial_numbers)
        if item.customized_url and self.open(order):
            url = customization.address(self.files_url, item.customized_url)
            product["customization"] = {"customizedUrl": url}
        return product

    def _item_proceeds(self, item: SimItem, currency: str) -> dict[str, Any]:
        lines = []
        for kind, amount, details in self._amounts(item):
            line: dict[str, Any] = {"type": kind, "subtotal": money(amount, currency)}
            if details:
                line["detailedBreakdowns"] = [
                    {"subtype": subtype, "value": money(value, currency)} for subtype, value in details.items() if value
                ]
            lines.append(line)
        return {"proceedsTotal": money(item.total, currency), "breakdowns": lines}

    def _item_fulfillment(self, order: SimOrder, item: SimItem) -> dict[str, Any]:
        open_quantity = 0 if order.status == "CANCELLED" else item.open_quantity
        packing = {"giftOption": self._gift(order, item)} if item.gift else {}
        shipping = present(
            scheduledDeliveryWindow=_window(*item.scheduled) if item.scheduled else None,
            internationalShipping=present(iossNumber=item.ioss_number),
            shippingConstraints=dict.fromkeys(item.constraints, "MANDATORY"),
        )
        return {
            "quantityFulfilled": item.quantity_shipped,
            "quantityUnfulfilled": open_quantity,
            **present(packing=packing, shipping=shipping),
        }

    def _gift(self, order: SimOrder, item: SimItem) -> dict[str, Any]:
        return present(giftMessage=item.gift_message if self.open(order) else "", giftWrapLevel=item.gift_wrap)

    def _packages(self, order: SimOrder) -> list[dict[str, Any]]:
        if order.fulfilled_by == "AMAZON":  # withheld, and so is the tracking number
            return []
        return [_package(package, self.now) for package in order.packages]


def money(amount: Decimal, currency: str) -> dict[str, str]:
    places = Decimal(1) if currency in _NO_DECIMALS else Decimal("0.01")
    return {"amount": str(amount.quantize(places)), "currencyCode": currency}


def _merged(data: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    merged = dict(data)
    for name, value in extra.items():
        below = merged.get(name)
        if value is None:
            merged.pop(name, None)
            continue
        merged[name] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _window(earliest: datetime | None, latest: datetime | None) -> dict[str, str]:
    return present(
        earliestDateTime=stamp(earliest) if earliest else None,
        latestDateTime=stamp(latest) if latest else None,
    )


def _replacement(order: SimOrder) -> list[dict[str, str]]:
    association = f"{order.replaces_as}_ORIGINAL_ID"
    return [{"orderId": order.replaces, "associationType": association}] if order.replaces else []


def _place(address: SimAddress) -> dict[str, str]:
    """What is left of an address once the person is gone. Japan keeps the postal code."""
    postal_code = address.postal_code if address.country in _POSTCODE_ALWAYS else ""
    return present(city=address.city, stateOrRegion=address.state, postalCode=postal_code, countryCode=address.country)


def _address(address: SimAddress) -> dict[str, str]:
    return present(
        name=address.name,
        companyName=address.company,
        addressLine1=address.line1,
        addressLine2=address.line2,
        addressLine3=address.line3,
        city=address.city,
        districtOrCounty=address.district,
        stateOrRegion=address.state,
        municipality=address.municipality,
        postalCode=address.postal_code,
        countryCode=address.country,
        phone=address.phone,
        addressType=address.address_type,
    )


def _preference(order: SimOrder) -> dict[str, Any]:
    hours = [
        {
            "dayOfWeek": day,
            "timeWindows": [{"startTime": {"hour": start, "minute": 0}, "endTime": {"hour": end, "minute": 0}}],
        }
        for day, start, end in order.delivery_hours
    ]
    return present(
        dropOffLocation=order.drop_off,
        addressInstruction=order.delivery_instructions,
        deliveryTime=present(businessHours=hours),
        deliveryCapabilities=list(order.delivery_capabilities),
    )


def _payment(order: SimOrder) -> dict[str, Any]:
    if not order.payment_method:
        return {}
    amount = money(order.total, MARKETPLACES[order.marketplace].currency)
    return {"paymentExecutions": [{"paymentMethod": order.payment_method, "paymentAmount": amount}]}


def _fulfillment(order: SimOrder) -> dict[str, Any]:
    data = {
        "fulfillmentStatus": order.status,
        "fulfilledBy": order.fulfilled_by,
        "fulfillmentServiceLevel": order.service_level,
    }
    if order.fulfilled_by == "MERCHANT":
        data |= present(shipByWindow=_window(order.ship_from, order.ship_by))
        if order.status in _WITH_ADDRESS:
            data |= present(deliverByWindow=_window(order.deliver_from, order.deliver_by))
    return data


def _cancellation(item: SimItem) -> dict[str, Any]:
    request = present(requester="BUYER", cancelReason=item.cancel_request) if item.cancel_request else {}
    execution = present(cancelledBy=item.cancelled_by, cancelReason=item.cancel_reason) if item.cancelled_by else {}
    return present(cancellationRequest=request, cancellationExecution=execution)


def _package(package: SimPackage, now: datetime) -> dict[str, Any]:
    age = (now - package.ship_time).days
    status = (
        {"status": "DELIVERED", "detailedStatus": "DELIVERED"}
        if age >= _PACKAGE_AGE_DELIVERED
        else {"status": "SHIPPED"}
    )
    return {
        "packageReferenceId": package.reference,
        "createdTime": stamp(package.created),
        "packageStatus": status,
        "carrier": package.carrier,
        "shipTime": stamp(package.ship_time),
        **present(shippingService=package.service, trackingNumber=package.tracking),
        "packageItems": [{"orderItemId": item_id, "quantity": count} for item_id, count in package.items.items()],
    }
