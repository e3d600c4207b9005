"""Catalog items, stock and pictures."""

import pytest

from stores.simulator import scenarios

from .asking import InProcess
from .models import faults, needs_models

CATALOG = "/catalog/2022-04-01/items"
US, JAPAN = "ATVPDKIKX0DER", "A1VC38T7YXB528"


def found(asker, market, *asins, included="summaries,images,dimensions"):
    query = {"identifiers": ",".join(asins), "identifiersType": "ASIN", "marketplaceIds": market}
    return asker.ask("GET", CATALOG, **query, includedData=included)


@needs_models
def test_catalog_answers_fit_the_model(us):
    page = found(us, US, "B0SIM00101", "B0SIM00301").json
    assert page["numberOfResults"] == 2
    assert faults("catalogItems_2022-04-01.json", "ItemSearchResults", page) == []
    item = us.ask("GET", f"{CATALOG}/B0SIM00101", marketplaceIds=US).json
    assert faults("catalogItems_2022-04-01.json", "Item", item) == []


def test_weights_come_in_the_units_of_the_marketplace(world, us):
    japan = InProcess(world).sign_in(scenarios.JP)
    weights = [
        found(asker, market, "B0SIM00101").json["items"][0]["dimensions"][0]["item"]["weight"]
        for asker, market in ((us, US), (japan, JAPAN))
    ]
    assert [weight["unit"] for weight in weights] == ["pounds", "grams"]
    assert weights[0]["value"] * 453.59237 == pytest.approx(weights[1]["value"], abs=0.1)


def test_unknown_products_are_left_out_and_sold_ones_are_known(world, us):
    world.add_order(scenarios.NA, items=[{"asin": "B0ONCESOLD", "title": "Odd lamp"}])
    page = found(us, US, "B0ONCESOLD", "B0NOSUCHIT").json
    assert [item["summaries"][0]["itemName"] for item in page["items"]] == ["Odd lamp"]
    assert us.ask("GET", f"{CATALOG}/B0NOSUCHIT", marketplaceIds=US).status == 404


def test_more_than_twenty_products_or_another_marketplace_are_refused(us):
    assert found(us, US, *["B0SIM00101"] * 21).status == 400
    assert found(us, JAPAN, "B0SIM00101").status == 403


def test_a_picture_is_where_the_catalog_says(us):
    link = found(us, US, "B0SIM00101").json["items"][0]["images"][0]["images"][0]["link"]
    us.token = None
    reply = us.ask("GET", link.removeprefix("http://testserver"))
    assert reply.headers["Content-Type"] == "image/png" and reply.body.startswith(b"\x89PNG")


def test_stock_is_asked_by_sku(us, order):
    query = {"marketplaceIds": US, "identifiers": "B", "identifiersType": "SKU"}
    path = f"/listings/2021-08-01/items/{scenarios.NA.seller_id}"
    page = us.ask("GET", path, **query, includedData="fulfillmentAvailability").json
    assert [item["sku"] for item in page["items"]] == ["B"]
    assert page["items"][0]["fulfillmentAvailability"][0]["quantity"] >= 0
