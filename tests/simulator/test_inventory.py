"""Stock at Amazon: what listings still sell, what its warehouses hold; and what a file is told by."""

import pytest

from stores.simulator import scenarios
from stores.simulator.catalogue import DIGITAL, PRODUCTS

from .models import faults, needs_models

US, JAPAN = "ATVPDKIKX0DER", "A1VC38T7YXB528"
INVENTORY = "/fba/inventory/v1/summaries"
GOOD = {"granularityType": "Marketplace", "granularityId": US, "marketplaceIds": US}


@pytest.fixture
def afn(world):
    return world.add_order(scenarios.NA, fulfilled_by="AMAZON", items=[{"sku": "FBA-1"}, {"sku": "FBA-2"}])


@needs_models
@pytest.mark.parametrize("details", ["true", "false"])
def test_inventory_fits_the_model(us, afn, details):
    reply = us.ask("GET", INVENTORY, **GOOD, details=details, sellerSkus="FBA-1,FBA-2")
    assert len(reply.json["payload"]["inventorySummaries"]) == 2
    assert faults("fbaInventory.json", "GetInventorySummariesResponse", reply.json) == []


def test_only_what_was_sold_from_the_warehouses_and_asked_for_is_there(world, us, afn):
    world.add_order(scenarios.NA, items=[{"sku": "OWN-1"}])
    world.fba_stock[scenarios.NA.seller_id, "FBA-2"] = 3
    rows = us.ask("GET", INVENTORY, **GOOD, details="true", sellerSkus="FBA-2,OWN-1").json["payload"][
        "inventorySummaries"
    ]
    assert [(row["sellerSku"], row["inventoryDetails"]["fulfillableQuantity"]) for row in rows] == [("FBA-2", 3)]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"granularityType": "Country"}, 400), ({"granularityId": JAPAN}, 400), ({"marketplaceIds": f"{US},{JAPAN}"}, 400),
        ({"granularityId": JAPAN, "marketplaceIds": JAPAN}, 403), ({"sellerSkus": ",".join(map(str, range(51)))}, 400),
    ],
)  # fmt: skip
def test_a_question_amazon_would_refuse_is_refused(us, change, status):
    assert us.ask("GET", INVENTORY, **(GOOD | change)).status == status


def test_the_bucket_of_inventory_holds_two(us, afn):
    assert [us.ask("GET", INVENTORY, **GOOD).status for _call in range(3)] == [200, 200, 429]


def test_a_listing_sells_what_the_test_says(world, us):
    world.add_order(scenarios.NA, items=[{"sku": "OWN-1"}])
    world.stock[scenarios.NA.seller_id, "OWN-1"] = 0
    query = {
        "marketplaceIds": US,
        "identifiers": "OWN-1",
        "identifiersType": "SKU",
        "includedData": "fulfillmentAvailability",
    }
    page = us.ask("GET", f"/listings/2021-08-01/items/{scenarios.NA.seller_id}", **query).json
    assert page["items"] == [
        {"sku": "OWN-1", "fulfillmentAvailability": [{"fulfillmentChannelCode": "DEFAULT", "quantity": 0}]}
    ]


@needs_models
def test_a_file_is_told_by_its_product_type(world, us):
    world.digital_asins.add("B0SONGBOOK")
    world.add_order(scenarios.NA, items=[{"asin": "B0SONGBOOK"}])
    asked = {"identifiersType": "ASIN", "marketplaceIds": US, "includedData": "productTypes"}
    asked["identifiers"] = f"{DIGITAL.asin},{PRODUCTS[0].asin},B0SONGBOOK"
    page = us.ask("GET", "/catalog/2022-04-01/items", **asked).json
    assert [item["productTypes"][0]["productType"] for item in page["items"]] == [
        "DOWNLOADABLE_SOFTWARE", "HOME", "DOWNLOADABLE_SOFTWARE",
    ]  # fmt: skip
    assert faults("catalogItems_2022-04-01.json", "ItemSearchResults", page) == []
