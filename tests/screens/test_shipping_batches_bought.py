"""Batches whose labels are bought, on the screen: from the list by way of prices to what they cost. F43."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import OrmQ

from orderhub import clock, jobs
from orders.models import Order
from privacy import access
from shipments import batchprices
from shipments.jobs import run_batches
from shipments.models import LabelBatch, LabelBatchRow, Shipment
from shipments.models.shipment import LabelProvider
from tests.factories import make_user
from tests.screens.test_shipping_batches import MAY, choose, door, page, press
from tests.shipments.batches import make_batch, run_now, start
from tests.shipments.batches import make_bought_batch as draft
from tests.shipments.shop import open_shop, order_at

pytestmark = pytest.mark.django_db
BUY = LabelProvider.AMAZON_SHIPPING
OWN = LabelProvider.MANUAL
SIZE = {"length_mm": 200, "width_mm": 150, "height_mm": 50}
WORDS = "200 × 150 × 50"
State = LabelBatch.State


@pytest.fixture
def support(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    return user


@pytest.fixture
def account(world):
    return open_shop()


@pytest.fixture
def orders(world, account):
    return [order_at(world, account) for _ in range(3)]


def priced(orders, **given) -> LabelBatch:
    batch = draft(orders, **given)
    batchprices.ask(batch, now=clock.now())
    return ran(batch)


def ran(batch: LabelBatch) -> LabelBatch:
    """Its job has run once."""
    run_now(batch)
    batch.refresh_from_db()
    return batch


def busy(world, orders) -> LabelBatch:
    """Prices that Amazon, being busy, has not told yet."""
    world.faults.arm("getRates", "429", times=1)
    batch = priced(orders)
    assert batch.state == State.PRICING
    return batch


def html_of(client, batch, **query) -> str:
    return client.get(page(batch), query).content.decode()


def kept(batch: LabelBatch) -> list[tuple]:
    return list(batch.rows.order_by("position").values_list("weight_g", *SIZE))


def test_f43_from_the_list_by_way_of_prices_to_labels_and_their_cost(client, world, support, orders):
    choose(client, *orders)
    batch = LabelBatch.objects.get()
    html = press(client, batch, "check", provider=BUY).content.decode()
    assert "Keep and ask for prices" in html and "Tracking numbers" not in html
    assert html.count("Type the weight and the three sides") == 3 and "Buy 3 labels" not in html

    weights = {f"w{pk}": "800 g" for pk in batch.rows.values_list("pk", flat=True)}
    html = press(client, batch, "prices", provider=BUY, size="200 x 150 x 50", **weights).content.decode()
    assert "Asking for prices" in html and 'max="3" value="0"' in html
    assert [row.task["args"] for row in OrmQ.objects.all()] == [("shipments.run_batch", batch.pk)]
    assert ran(batch).state == State.DRAFT and world.parcels.ledger == []

    html = html_of(client, batch)
    assert "Buy 3 labels for 18.84 USD" in html and html.count(">6.28 USD<") == 3 and "USPS Ground Advantage" in html
    html = press(client, batch, "start", provider=BUY).content.decode()
    assert "making labels" in html and world.parcels.ledger == []
    assert ran(batch).state == State.DONE

    html = html_of(client, batch)
    assert '<dd class="oh-number">18.84 USD</dd>' in html and html.count(">6.28 USD<") == 3
    assert "All labels (PDF)" in html and "told by Amazon’s own label" in html
    assert all(number in html for number in Shipment.objects.values_list("tracking_number", flat=True))
    bought = [entry["order_id"] for entry in world.parcels.ledger if entry["effect"] == "bought"]
    assert sorted(bought) == sorted(order.order_number for order in orders)


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("w", "heavy", "type the weight in whole grams, for example 350."),
        ("w", "0", "type the weight in whole grams, for example 350."),
        ("d", "200 x 150", "type the size in whole mm as length × width × height"),
        ("d", "20.5 x 15 x 5", "type the size in whole mm as length × width × height"),
    ],
)
def test_f43_a_wrong_weight_or_size_is_said_and_stays_as_typed(client, world, support, orders, field, typed, told):
    batch = draft(orders)
    row, other, _last = batch.rows.order_by("position")
    given = {f"{field}{row.pk}": typed, f"w{other.pk}": "450"}
    html = press(client, batch, "prices", provider=BUY, **given).content.decode()
    assert f"{row.order.order_number}: {told}" in html and f'value="{typed}"' in html
    assert html.count('aria-invalid="true"') == 1
    batch.refresh_from_db()
    assert batch.state == State.DRAFT and world.calls("getRates") == 0
    assert [weight for weight, *_sides in kept(batch)] == [800, 450, 800]


def test_f43_a_wrong_common_size_is_said_beside_it_and_stays_as_typed(client, world, support, orders):
    batch = draft(orders)
    html = press(client, batch, "prices", provider=BUY, size="big").content.decode()
    assert '<p class="oh-error">Type the size in whole mm' in html and 'value="big"' in html
    batch.refresh_from_db()
    assert (batch.state, batch.length_mm, world.calls("getRates")) == (State.DRAFT, 200, 0)


def test_f43_while_prices_are_asked_for_the_page_loads_itself_anew_and_can_be_stopped(client, world, support, orders):
    batch = busy(world, orders)
    answer = client.get(page(batch))
    assert answer.headers["Refresh"] == "3" and "Stop: ask for no more prices" in answer.content.decode()
    html = client.post(door("save", batch), {"go": "stop"}, follow=True).content.decode()
    assert "The prices of 3 labels are still to be asked for." in html and "Keep and ask for prices" in html
    assert "Refresh" not in client.get(page(batch)).headers
    ran(batch)
    assert (batch.state, world.calls("getRates")) == (State.DRAFT, 1)


def test_f43_nothing_typed_is_taken_while_prices_are_asked_for(client, world, support, orders):
    batch = busy(world, orders)
    row = batch.rows.first()
    typed = {"go": "check", f"w{row.pk}": "450", "provider": OWN}
    html = client.post(door("save", batch), typed, follow=True).content.decode()
    assert "Prices for this batch are being asked for right now" in html
    assert [weight for weight, *_sides in kept(batch)] == [800, 800, 800]
    batch.refresh_from_db()
    assert batch.provider == BUY


def test_f43_a_batch_that_buys_can_be_stopped_and_its_labels_bought_later(client, world, support, orders, travel):
    batch = priced(orders)
    world.faults.arm("purchaseShipment", "429", times=1, after=1)
    start(batch)
    assert ran(batch).state == State.RUNNING
    assert "Stop: make no more labels" in html_of(client, batch)
    client.post(door("save", batch), {"go": "stop"})
    assert ran(batch).state == State.DONE
    html = html_of(client, batch)
    assert html.count("Somebody stopped the batch before this label was made.") == 2
    assert "Buy 2 labels for 12.56 USD" in html and '<dd class="oh-number">6.28 USD</dd>' in html
    travel(world, minutes=1)
    press(client, batch, "start")
    assert ran(batch).state == State.DONE and len(world.parcels.ledger) == 3


def test_f43_each_row_says_what_stands_in_its_way(client, world, support, orders):
    refused, late, changed = orders
    Order.objects.filter(pk=late.pk).update(deliver_by=clock.now() + timedelta(days=1))
    batch = draft(orders)
    batch.rows.filter(order=refused).update(weight_g=40_000)
    batchprices.ask(batch, now=clock.now())
    ran(batch)
    row = batch.rows.get(order=changed)
    html = press(client, batch, "check", provider=BUY, **{f"w{row.pk}": "900"}).content.decode()
    assert f"No carrier takes this parcel of order {refused.order_number}" in html
    assert "No offer arrives by" in html and "not asked yet" in html
    assert "Labels whose price is still to be asked for are not bought yet." in html
    press(client, batch, "start", provider=BUY)
    assert ran(batch).state == State.DONE
    html = html_of(client, batch)
    assert "The price of this label had not been asked for." in html and "Keep and ask for prices" in html
    assert [entry["order_id"] for entry in world.parcels.ledger] == [late.order_number]


def test_f43_a_price_not_seen_is_not_paid(client, world, support, orders):
    batch = priced(orders)
    seen = client.get(page(batch)).context["checked"].seen
    row = batch.rows.first()
    row.offer["rate"]["price"] = "99.00"
    row.save()
    typed = {"go": "start", "seen": seen, "provider": BUY, "ship_date": "", "paper": batch.paper}
    html = client.post(door("save", batch), typed, follow=True).content.decode()
    assert "what can be made has changed" in html and "99.00 USD" in html
    batch.refresh_from_db()
    assert batch.state == State.DRAFT and world.parcels.ledger == []


def test_f43_labels_of_ones_own_again_and_everything_typed_is_still_there(client, world, support, orders):
    batch = make_batch(orders, ["1ZGOOD0001", "1ZGOOD0002"])
    press(client, batch, "check", provider=BUY)
    row = batch.rows.first()
    press(client, batch, "check", provider=BUY, size=WORDS, **{f"w{row.pk}": "450", f"d{row.pk}": "90 x 80 x 20"})
    batch.refresh_from_db()
    html = press(client, batch, "check", provider=OWN).content.decode()
    assert 'value="1ZGOOD0001"' in html and 'value="1ZGOOD0002"' in html and 'value="450"' in html
    batch.refresh_from_db()
    assert (batch.carrier, batch.service) == ("ups", "UPS Ground")
    html = press(client, batch, "check", provider=BUY).content.decode()
    assert f'value="{WORDS}"' in html and 'value="90 × 80 × 20"' in html


@pytest.mark.parametrize("role", list(access.ROLES))
@pytest.mark.parametrize("go", ["check", "prices", "start", "stop"])
def test_f43_only_support_and_warehouse_ask_and_buy(client, world, orders, role, go):
    batch = busy(world, orders) if go == "stop" else priced(orders)
    before = (LabelBatch.objects.values().get(), list(LabelBatchRow.objects.order_by("pk").values()))
    client.force_login(make_user(role))
    common = {"provider": OWN, "size": WORDS, "ship_date": "", "paper": batch.paper}
    typed = common | {"go": go, f"w{batch.rows.first().pk}": "450"}
    answer = client.post(door("save", batch), typed).status_code
    assert (answer, client.get(page(batch)).status_code) == ((302, 200) if role in MAY else (403, 403))
    after = (LabelBatch.objects.values().get(), list(LabelBatchRow.objects.order_by("pk").values()))
    assert (before != after) == (role in MAY) and bool(OrmQ.objects.count()) == (role in MAY and go == "stop")
    assert world.parcels.ledger == []


def test_f43_no_look_asks_or_buys(client, world, support, orders):
    batch = priced(orders)
    calls, rows = world.calls("getRates"), list(LabelBatchRow.objects.values())
    for query in ({}, {"show": "problems"}, {"go": "start"}):
        assert client.get(page(batch), query).status_code == 200
    assert client.get(door("save", batch), {"go": "start"}).status_code == 302
    assert (world.calls("getRates"), rows) == (calls, list(LabelBatchRow.objects.values()))
    assert world.parcels.ledger == []


@pytest.mark.parametrize("state", ["draft", "priced", "done"])
def test_f43_the_page_costs_as_many_queries_for_ten_rows_as_for_one(client, world, account, support, state):
    found = {}
    for count in (1, 10):
        orders = [order_at(world, account) for _ in range(count)]
        batch = draft(orders) if state == "draft" else priced(orders)
        if state == "done":
            start(batch)
            assert ran(batch).state == State.DONE
        client.get(page(batch))
        with CaptureQueriesContext(connection) as asked:
            assert client.get(page(batch)).status_code == 200
        found[count] = len(asked)
    assert found[1] == found[10] <= 26


def test_f43_no_buyer_is_on_the_page(client, world, support, orders, travel):
    batch = priced(orders)
    seen = html_of(client, batch)
    start(batch)
    ran(batch)
    with jobs.inline():
        jobs.run(run_batches.job_name)
    seen += html_of(client, batch) + client.get(reverse("admin:shipments_labelbatch_changelist")).content.decode()
    for order in orders:
        person = world.orders[order.order_number].address
        assert not [text for text in (person.name, person.line1, person.phone) if text and text in seen]


@pytest.mark.parametrize("text", ["a\0b", "9" * 500, "'\"><script>alert(1)</script>", "\u202e\x1b[2J\r\nX: y"])
def test_f43_whatever_is_typed_for_a_parcel_gets_an_answer(client, world, support, orders, text):
    batch = draft(orders)
    row = batch.rows.first()
    names = ["provider", "size", "ship_date", "paper", "seen", f"w{row.pk}", f"d{row.pk}"]
    for go in ("check", "prices", "start", "stop", text):
        answer = client.post(door("save", batch), dict.fromkeys(names, text) | {"go": go})
        assert answer.status_code < 500 and b"<script>alert" not in answer.content
    batch.refresh_from_db()
    assert (batch.provider, batch.state, world.parcels.ledger) == (BUY, State.DRAFT, [])
