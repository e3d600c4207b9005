#!/usr/bin/env python3
"""Adds what buyers chose for their customised products to a shop's orders, and enters orders of Amazon Handmade.

For partners who make or personalise goods, and for tools that already speak version 1 of ShipStation's API: only the
address differs. Needs Python 3.11 and requests.

    export ORDERHUB_URL=https://orders.example.com/shipstation ORDERHUB_KEY=oh_live_ab12cd34 ORDERHUB_SECRET=…
    python partner_custom_orders.py details 408-1234567-1234567 MUG-1 "Engraving=For Ada" "Font=Script"
    python partner_custom_orders.py handmade order.json

The key needs the scopes orders:read, orders:read_pii, orders:write and stores:read. What is written as a detail counts
as personal data of the buyer and goes when the order's address goes; afterwards it is refused, with a header Warning.
"""

import json
import os
import sys
import time
from pathlib import Path

import requests


class Shop:
    """A client of version 1: HTTP Basic, JSON, at most as many requests as the headers allow."""

    def __init__(self, url: str, key: str, secret: str):
        self.url, self.http = url.rstrip("/"), requests.Session()
        self.http.auth = (key, secret)

    def call(self, method: str, path: str, **given):
        """The JSON of the answer. Waits when there are too many requests; raises for any other refusal."""
        while True:
            answer = self.http.request(method, self.url + path, timeout=30, **given)
            if answer.status_code != 429:
                break
            time.sleep(int(answer.headers["Retry-After"]))
        if "Warning" in answer.headers:
            print("Not all of it was taken:", answer.headers["Warning"], file=sys.stderr)
        if not answer.ok:
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def add_details(self, number: str, sku: str, details: dict[str, str]) -> dict:
        """Write what the buyer chose for this SKU. The whole order is read and sent back, as version 1 wants it."""
        found = self.call("GET", "/orders", params={"orderNumber": number})["orders"]
        order = next((one for one in found if one["orderNumber"] == number), None)
        line = next((item for item in (order or {}).get("items", ()) if item["sku"] == sku), None)
        if line is None:
            raise SystemExit(f"There is no order {number} with a line {sku}.")
        kept = {option["name"]: option["value"] for option in line["options"]}
        line["options"] = [{"name": name, "value": value} for name, value in (kept | details).items()]
        return self.call("POST", "/orders/createorder", json=order)

    def handmade_store(self) -> int:
        """The first store of Amazon Handmade that this key sees."""
        stores = self.call("GET", "/stores")
        return next(store["storeId"] for store in stores if store["marketplaceName"] == "Amazon Handmade")

    def enter(self, order: dict) -> dict:
        """Create an order of Amazon Handmade, or update the one of the same orderKey: sent twice, it is one order."""
        order["advancedOptions"] = {"storeId": self.handmade_store()} | order.get("advancedOptions", {})
        return self.call("POST", "/orders/createorder", json=order)


def main(words: list[str]) -> None:
    shop = Shop(*(os.environ[name] for name in ("ORDERHUB_URL", "ORDERHUB_KEY", "ORDERHUB_SECRET")))
    match words:
        case ["details", number, sku, *pairs] if pairs:
            order = shop.add_details(number, sku, dict(pair.split("=", 1) for pair in pairs))
        case ["handmade", file]:
            order = shop.enter(json.loads(Path(file).read_text()))
        case _:
            raise SystemExit(__doc__)
    print(json.dumps({"orderId": order["orderId"], "orderNumber": order["orderNumber"], "items": order["items"]}))


if __name__ == "__main__":
    main(sys.argv[1:])
