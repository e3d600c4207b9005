"""The gate in front of buyers' data."""

from datetime import timedelta

import pytest

from stores.simulator import scenarios
from stores.simulator.orders import SimAddress

from .asking import InProcess
from .conftest import NOON

EARLY = NOON - timedelta(hours=3)
PERSON = "Zoranthe Quillmark"
FIELDS = [
    "name",
    "line1",
    "line2",
    "line3",
    "company",
    "phone",
    "buyer_name",
    "buyer_email",
    "buyer_company",
    "purchase_order_number",
    "drop_off",
    "delivery_instructions",
    "gift_message",
    "customized_url",
]


def person_order(world, seller=scenarios.NA, **fields):
    address = SimAddress(
        name=PERSON,
        line1="12 Quillmark Row",
        city="Austin",
        state="TX",
        postal_code="78701",
        phone="+1 503-555-0101",
    )
    item = {
        "gift": True,
        "gift_message": f"From {PERSON}",
        "customized_url": "https://zme-caps.amazon.com/t/Quillmark",
    }
    return world.add_order(
        seller,
        **({"created": EARLY, "updated": EARLY, "address": address, "buyer_name": PERSON, "items": [item]} | fields),
    )


def test_a_merchant_order_shows_its_buyer_to_the_role(world, us):
    data = us.order(person_order(world).order_id).json["order"]
    assert data["buyer"]["buyerName"] == PERSON
    assert data["recipient"]["deliveryAddress"]["phone"] == "+1 503-555-0101"
    assert data["orderItems"][0]["product"]["customization"]["customizedUrl"].endswith("Quillmark")
    assert "Quillmark" in data["orderItems"][0]["fulfillment"]["packing"]["giftOption"]["giftMessage"]


@pytest.mark.parametrize(
    "fields",
    [{"fulfilled_by": "AMAZON", "status": "SHIPPED"}, {"status": "PENDING"}, {"status": "CANCELLED"}],
)
def test_amazon_fulfilled_pending_and_cancelled_orders_show_nobody(world, us, fields):
    order = person_order(world, **fields)
    for reply in (us.order(order.order_id), us.search(includedData="BUYER,RECIPIENT,FULFILLMENT")):
        assert reply.status == 200
        assert b"Quillmark" not in reply.body and b"marketplace.amazon" not in reply.body


def test_an_amazon_fulfilled_order_keeps_its_town(world, us):
    order = person_order(world, fulfilled_by="AMAZON", status="SHIPPED")
    address = us.order(order.order_id).json["order"]["recipient"]["deliveryAddress"]
    assert address == {"city": "Austin", "stateOrRegion": "TX", "countryCode": "US"}


def test_an_amazon_fulfilled_order_hides_its_parcels(world, us):
    order = person_order(world, fulfilled_by="AMAZON")
    world.ship_elsewhere(order.order_id)
    data = us.order(order.order_id).json["order"]
    assert data["fulfillment"]["fulfillmentStatus"] == "SHIPPED" and "packages" not in data


def test_leaky_afn_is_the_fault_that_sends_names_all_the_same(world, us):
    world.leaky_afn = True
    order = person_order(world, fulfilled_by="AMAZON", status="SHIPPED")
    assert us.order(order.order_id).json["order"]["buyer"]["buyerName"] == PERSON


@pytest.mark.parametrize("dataset", ["BUYER", "RECIPIENT", "FULFILLMENT,BUYER"])
def test_without_the_role_personal_datasets_are_denied(world, dataset):
    asker = InProcess(world).sign_in(scenarios.NO_PII_ROLE)
    order = person_order(world, scenarios.NO_PII_ROLE)
    for reply in (asker.search(includedData=dataset), asker.order(order.order_id, dataset)):
        assert (reply.status, reply.code) == (403, "AccessDeniedException")


def test_without_the_role_the_rest_comes_without_people(world):
    asker = InProcess(world).sign_in(scenarios.NO_PII_ROLE)
    person_order(world, scenarios.NO_PII_ROLE)
    reply = asker.search(includedData="FULFILLMENT,PROCEEDS,PACKAGES,PAYMENT")
    assert len(reply.json["orders"]) == 1
    assert b"Quillmark" not in reply.body


def test_the_other_known_behaviour_leaves_the_fields_out(world):
    world.missing_role = "blank"
    person_order(world, scenarios.NO_PII_ROLE)
    reply = InProcess(world).sign_in(scenarios.NO_PII_ROLE).search(includedData="BUYER,RECIPIENT,FULFILLMENT")
    assert reply.status == 200 and b"Quillmark" not in reply.body


def test_the_phone_goes_once_a_shipped_order_should_have_arrived(world, us):
    order = person_order(world, deliver_by=NOON + timedelta(hours=1))
    assert us.confirm(order).status == 204
    assert "phone" in us.order(order.order_id).json["order"]["recipient"]["deliveryAddress"]
    world.clock.advance(seconds=3601)
    address = us.sign_in(scenarios.NA).order(order.order_id).json["order"]["recipient"]["deliveryAddress"]
    assert "phone" not in address and address["name"] == PERSON


def test_the_canary_marks_every_personal_field_of_every_open_order():
    world = scenarios.canary(now=NOON, token=lambda field, number: f"ZQ{field}{number}QZ")
    seen = set()
    for seller in (scenarios.NA, scenarios.EU, scenarios.JP):
        body = InProcess(world).sign_in(seller).search(includedData="BUYER,RECIPIENT,FULFILLMENT").body.decode()
        seen |= {field for field in FIELDS if f"ZQ{field}" in body}
    assert seen == set(FIELDS)
