"""Batches of labels on the screen: from the list to the draft, its check, its progress and its results."""

from io import BytesIO

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import OrmQ

from orders.models import Order
from privacy import access
from privacy.models import AccessLog
from shipments import batching, merging
from shipments.models import LabelBatch, LabelBatchRow, Shipment
from tests.factories import make_order, make_store, make_user
from tests.shipments.batches import make_batch, make_labels, many_orders, outcomes, start

pytestmark = pytest.mark.django_db
ORDERS, BATCHES = reverse("admin:orders_order_changelist"), reverse("admin:shipments_labelbatch_changelist")
MAY = {access.SUPPORT, access.WAREHOUSE}


def page(batch) -> str:
    return reverse("admin:shipments_labelbatch_change", args=[batch.pk])


def door(name: str, batch) -> str:
    return reverse(f"admin:shipments_batch_{name}", args=[batch.pk])


def press(client, batch, go: str, **typed):
    """Press a button of the page as it is shown now; the answer, redirects followed."""
    shown = client.get(page(batch)).context
    seen = shown["checked"].seen if "checked" in shown else ""
    common = {"carrier": batch.carrier, "service": batch.service, "ship_date": "", "paper": batch.paper}
    return client.post(door("save", batch), common | {"go": go, "seen": seen} | typed, follow=True)


@pytest.fixture
def support(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    return user


def choose(client, *orders, **more):
    chosen = {"action": "batch_labels", ACTION_CHECKBOX_NAME: [order.pk for order in orders]}
    return client.post(ORDERS + "?tab=to_ship", chosen | more)


def test_f43_the_list_makes_a_draft_and_no_id_is_in_the_address(client, support):
    orders = many_orders(3, make_store())
    answer = choose(client, *orders[:2])
    batch = LabelBatch.objects.get()
    assert answer.headers["Location"] == page(batch)
    assert (batch.created_by, set(batch.rows.values_list("order", flat=True))) == (support, {o.pk for o in orders[:2]})
    assert not Shipment.objects.exists() and not OrmQ.objects.exists()


def test_f43_all_pages_of_the_list_can_be_chosen(client, support):
    many_orders(60, make_store())
    choose(client, Order.objects.first(), select_across="1")
    assert LabelBatch.objects.get().rows.count() == 60


def test_f43_too_many_orders_are_refused_with_a_sentence(client, support, monkeypatch):
    monkeypatch.setattr(batching, "MOST", 2)
    orders = many_orders(3, make_store())
    answer = client.post(ORDERS, {"action": "batch_labels", ACTION_CHECKBOX_NAME: [o.pk for o in orders]}, follow=True)
    assert "Choose at most 2 orders at once." in answer.content.decode()
    assert not LabelBatch.objects.exists()


@pytest.mark.parametrize("role", list(access.ROLES))
def test_f43_only_support_and_warehouse_work_with_batches(client, noon, role):
    order = make_order()
    batch = make_batch([order])
    client.force_login(make_user(role))
    choose(client, order)
    seen = (
        client.get(page(batch)).status_code,
        client.get(BATCHES).status_code,
        client.get(door("pick", batch)).status_code,
    )
    answer = client.post(door("save", batch), {"go": "discard"}).status_code
    if role in MAY:
        assert (seen, answer, LabelBatch.objects.count()) == ((200, 200, 200), 302, 1)
    else:
        assert (seen, answer, LabelBatch.objects.count()) == ((403, 403, 403), 403, 1)
        assert client.get(door("labels", batch)).status_code == client.get(door("slips", batch)).status_code == 403
        assert LabelBatch.objects.get() == batch


@pytest.mark.parametrize("state", ["draft", "running", "done"])
def test_f43_reading_changes_nothing(client, support, state):
    batch = make_batch(many_orders(2, make_store()), ["1ZGOOD0001", ""])
    {"draft": lambda b: None, "running": start, "done": make_labels}[state](batch)
    rows = list(LabelBatchRow.objects.values())
    with CaptureQueriesContext(connection) as asked:
        for url in (page(batch), BATCHES, door("pick", batch)):
            assert client.get(url).status_code == 200
    written = [query["sql"] for query in asked if query["sql"].split()[0] in {"UPDATE", "INSERT", "DELETE"}]
    assert written == [] and rows == list(LabelBatchRow.objects.values())
    assert client.get(door("save", batch)).headers["Location"] == page(batch)
    assert client.post(page(batch)).status_code == client.put(door("save", batch)).status_code == 405


def test_f43_pasted_numbers_are_kept_checked_and_then_made(client, support):
    first, second, held = many_orders(3, make_store())
    choose(client, first, second, held)
    Order.objects.filter(pk=held.pk).update(status="on_hold")
    batch = LabelBatch.objects.get()
    rows = {order_id: pk for pk, order_id in batch.rows.values_list("pk", "order")}
    text = f"{first.order_number},1Z FIRST-01\n{second.order_number},1ZSECOND1,Ground,350\nAda Example,1ZX"
    html = press(client, batch, "check", carrier="ups", numbers=text).content.decode()
    assert "Line 3: it begins with no order number of this batch." in html
    assert "A label can be made for <strong>2</strong> orders." in html and "1 order must be mended first." in html
    assert ">Ada Example,1ZX</textarea>" in html and "is on hold. Release it first" in html
    kept = LabelBatchRow.objects.get(pk=rows[second.pk])
    assert (kept.tracking_number, kept.service, kept.weight_g) == ("1ZSECOND1", "Ground", 350)
    batch.refresh_from_db()
    html = press(client, batch, "start").content.decode()
    assert "making labels" in html and "0 made, 1 not made, 2 to go" in html
    assert [row.task["args"] for row in OrmQ.objects.all()] == [("shipments.run_batch", batch.pk)]


def test_f43_what_is_pasted_with_the_button_is_shown_before_it_is_made(client, support):
    orders = many_orders(2, make_store())
    batch = make_batch(orders, ["1ZGOOD0001", ""])
    press(client, batch, "start", numbers="1ZPASTED01\n1ZPASTED02")
    batch.refresh_from_db()
    assert batch.state == LabelBatch.State.DRAFT
    assert set(batch.rows.values_list("tracking_number", flat=True)) == {"1ZPASTED01", "1ZPASTED02"}
    press(client, batch, "start")
    batch.refresh_from_db()
    assert batch.state == LabelBatch.State.RUNNING


def test_f43_a_number_typed_in_its_row_is_checked_before_it_is_made(client, support):
    orders = many_orders(3, make_store())
    batch = make_batch(orders, ["1ZGOOD0001", "1ZGOOD0002", "1ZGOOD0003"])
    row = batch.rows.get(order=orders[0])
    html = press(client, batch, "start", **{f"n{row.pk}": "1ZGOOD0002", f"w{row.pk}": ""}).content.decode()
    assert "what can be made has changed" in html and "stands in more than one row" in html
    batch.refresh_from_db()
    assert batch.state == LabelBatch.State.DRAFT


def test_f43_a_wrong_field_is_said_and_stays_as_typed(client, support):
    order = make_order()
    batch = make_batch([order])
    row = batch.rows.get()
    typed = {f"n{row.pk}": "1ZNEW00001", f"w{row.pk}": "heavy", "ship_date": "2062-11-20"}
    html = press(client, batch, "check", **typed).content.decode()
    assert f"{order.order_number}: type the weight in whole grams" in html and 'value="heavy"' in html
    assert "The ship date must be within 30 days of today." in html
    row.refresh_from_db()
    assert row.tracking_number != "1ZNEW00001"


def test_f43_rows_are_taken_out_one_by_one_or_all_that_cannot_be_made(client, support):
    orders = many_orders(4, make_store())
    batch = make_batch(orders, ["1ZGOOD0001", "1ZGOOD0002", "", ""])
    press(client, batch, "", remove=str(batch.rows.get(order=orders[0]).pk))
    assert "2 orders were taken out." in press(client, batch, "unfit").content.decode()
    assert list(batch.rows.values_list("order", flat=True)) == [orders[1].pk]
    press(client, batch, "discard")
    assert not LabelBatch.objects.exists() and not LabelBatchRow.objects.exists()


def test_f43_the_page_loads_itself_anew_only_while_labels_are_made(client, support):
    batch = make_batch(many_orders(2, make_store()))
    assert "Refresh" not in client.get(page(batch)).headers
    start(batch)
    answer = client.get(page(batch))
    assert answer.headers["Refresh"] == "3"
    assert '<progress class="oh-progress" max="2" value="0"' in answer.content.decode()
    LabelBatch.objects.update(state="done", finished_at=batch.created_at)
    assert "Refresh" not in client.get(page(batch)).headers


def test_f43_results_are_grouped_by_store_and_only_the_failed_can_be_shown(client, support):
    us = make_store("US", name="Zeta")
    ca = make_store("CA", account=us.account, name="Alpha")
    good, bad, other = make_order(us), make_order(us), make_order(ca)
    batch = make_labels(make_batch([good, bad, other], ["1ZGOOD0001", "", "1ZGOOD0003"]))
    html = client.get(page(batch)).content.decode()
    made = html[html.index("results-title") :]
    assert made.index("Alpha") < made.index(other.order_number) < made.index("Zeta") < made.index(good.order_number)
    assert bad.order_number not in made and "1 label was not made" in html
    failed = client.get(page(batch) + "?show=failed").content.decode()
    assert bad.order_number in failed and good.order_number not in failed


def test_f43_only_the_failed_are_made_again_from_the_page(client, support):
    orders = many_orders(2, make_store())
    batch = make_labels(make_batch(orders, ["1ZGOOD0001", ""]))
    press(client, batch, "check", numbers="1ZMENDED01")
    assert "Make this label now" in client.get(page(batch)).content.decode()
    press(client, batch, "start")
    batch.refresh_from_db()
    assert batch.state == LabelBatch.State.RUNNING
    assert outcomes(batch) == {orders[0].order_number: "done", orders[1].order_number: "waiting"}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("state", ["draft", "running", "done"])
def test_f43_the_page_costs_as_many_queries_for_many_rows_as_for_few(client, support, state):
    store, found = make_store(), {}
    for count in (2, 70):
        orders = many_orders(count, store)
        batch = make_batch(orders, [f"1Z{order.pk:08d}" for order in orders[:-1]])
        {"draft": lambda b: None, "running": start, "done": make_labels}[state](batch)
        client.get(page(batch))
        with CaptureQueriesContext(connection) as asked:
            assert client.get(page(batch)).status_code == 200
        found[count] = len(asked)
    assert found[2] == found[70] <= 26


def test_f43_the_list_of_batches_costs_as_many_queries_for_many_as_for_few(client, support):
    store, found = make_store(), {}
    for count in (1, 8):
        for _batch in range(count):
            last = make_batch(many_orders(2, store), by=support)
        client.get(BATCHES)
        with CaptureQueriesContext(connection) as asked:
            html = client.get(BATCHES).content.decode()
        found[count] = len(asked)
    assert "being prepared" in html and f">{last}</a>" in html and support.username in html
    assert found[1] == found[8] <= 14


def test_f43_the_pick_list_is_a_pdf(client, support):
    batch = make_batch(many_orders(2, make_store()))
    answer = client.get(door("pick", batch))
    assert answer.headers["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF")


def test_f43_all_labels_come_as_one_pdf_and_each_opening_is_logged(client, support):
    pypdf = pytest.importorskip("pypdf")
    orders = many_orders(3, make_store())
    batch = make_labels(make_batch(orders, ["1ZGOOD0001", "", "1ZGOOD0003"]))
    answer = client.get(door("labels", batch))
    pages = pypdf.PdfReader(BytesIO(answer.content)).pages
    assert [n in p.extract_text() for n, p in zip(["1ZGOOD0001", "1ZGOOD0003"], pages, strict=True)] == [True, True]
    assert set(AccessLog.objects.values_list("order_id", flat=True)) == {orders[0].pk, orders[2].pk}
    assert client.get(door("slips", batch)).content.startswith(b"%PDF")


def test_f43_slips_come_in_parts_of_what_one_document_takes(client, support, monkeypatch):
    pypdf = pytest.importorskip("pypdf")
    monkeypatch.setattr(merging, "MOST_SLIPS", 2)
    batch = make_batch(many_orders(3, make_store()))
    html = client.get(page(batch)).content.decode()
    assert "Packing slips 1–2 (PDF)" in html and "Packing slips 3–3 (PDF)" in html
    rows = [row.order.order_number for row in batch.rows.select_related("order")]
    for part, wanted in (("1", rows[:2]), ("2", rows[2:])):
        pages = pypdf.PdfReader(BytesIO(client.get(door("slips", batch), {"part": part}).content)).pages
        assert [number in found.extract_text() for number, found in zip(wanted, pages, strict=True)] == [True] * len(
            wanted
        )
    assert AccessLog.objects.count() == 3


def test_f43_the_warehouse_prints_slips_of_what_it_has_not_sent_yet(client, noon):
    batch = make_batch(many_orders(2, make_store()))
    client.force_login(make_user(access.WAREHOUSE))
    assert client.get(door("slips", batch)).status_code == 200
    make_labels(batch)
    assert client.get(door("slips", batch)).status_code == 403
    assert "Packing slips" not in client.get(page(batch)).content.decode()


def test_f43_nothing_to_print_is_said(client, support):
    batch = make_batch([make_order()])
    assert "There is nothing to print in this batch." in client.get(door("labels", batch), follow=True).content.decode()


@pytest.mark.parametrize(
    "text", ["a\0b", "9" * 5000, "'\"><script>alert(1)</script>", "\u202e\x1b[2J\r\nX: y", "é" * 9000]
)
def test_f43_whatever_is_typed_gets_an_answer(client, support, text):
    batch = make_batch([make_order()])
    row = batch.rows.get()
    names = ["go", "seen", "numbers", "carrier", "service", "ship_date", "paper", "p", "show", "remove", f"n{row.pk}"]
    typed = dict.fromkeys([*names, f"s{row.pk}", f"w{row.pk}", f"c{row.pk}"], text)
    for go in (text, "check", "start", "unfit"):
        answer = client.post(door("save", batch), typed | {"go": go})
        assert answer.status_code < 500 and b"<script>alert" not in answer.content
    assert client.get(page(batch), {"p": text, "show": text}).status_code == 200
