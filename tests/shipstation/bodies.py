"""Orders as clients of version 1 send them."""

ADDRESS = {
    "name": "Zoé Martin", "company": "", "street1": "3 rue des Lilas", "street2": "", "street3": "", "city": "Lyon",
    "state": "", "postalCode": "69003", "country": "FR", "phone": "+33 4 00 00 00 00", "residential": None,
}  # fmt: skip


def an_order(**more) -> dict:
    return {
        "orderNumber": "W-1", "orderKey": "web-0001", "orderDate": "2026-11-20T08:46:27.0000000",
        "orderStatus": "awaiting_shipment", "customerEmail": "zoe@example.com", "billTo": ADDRESS | {"country": "FR"},
        "shipTo": dict(ADDRESS), "amountPaid": 24.8, "shippingAmount": 4.9,
        "items": [{"lineItemKey": "l-1", "sku": "MUG-1", "name": "Mug", "quantity": 2, "unitPrice": 9.95,
                   "weight": {"value": 10.58, "units": "ounces"}, "options": [{"name": "Colour", "value": "Red"}]}],
        "advancedOptions": {"customField1": "Shelf 3"},
    } | more  # fmt: skip
