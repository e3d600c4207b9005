"""The import matrix: channel × status × goods × the store's switches, imported over HTTP and compared with the table.

Each order is what the page of the store says it becomes (R23 to R29, R38, A7 to A9, A20).
"""

from datetime import timedelta
from itertools import product

import pytest
from django.urls import reverse

from orderhub import clock, jobs
from orders import fetching
from orders.models import Order, OrderItem, SkippedOrder
from orders.models.order import PiiState
from orders.product_jobs import enrich_products
from privacy import access
from stores import importmatrix
from stores.models import Store
from stores.simulator import scenarios
from stores.simulator.catalogue import DIGITAL, PRODUCTS
from stores.simulator.orders import SimAddress, SimItem, SimPackage
from tests.conftest import NOON
from tests.factories import connect, make_account, make_store, make_user
from tests.orders.driving import import_now
from tests.screens.storepages import shown, sign_in

pytestmark = pytest.mark.django_db
MERCHANT, AMAZON = "MERCHANT", "AMAZON"
CHANNELS = {MERCHANT: "MFN", AMAZON: "AFN"}
STATUSES = {status: group for group in importmatrix.MEANS for status in group}
SWITCHES = list(product((True, False), (True, False)))  # active, import_afn
HOME = {"name": "Zebulon Quickfeather", "line1": "77 Larkspur Hollow", "city": "Austin", "state": "TX"}
HOME |= {"postal_code": "78701", "phone": "+1 555 0177"}


def one(world, channel: str, status: str, *goods) -> str:
    """An order five minutes old that stands so at Amazon; its number."""
    items = [SimItem(asin=found.asin, sku=found.sku, title="Goods") for found in goods or (PRODUCTS[0],)]
    at = clock.now() - timedelta(minutes=5)
    order = world.add_order(
        scenarios.NA, marketplace="US", status=status, fulfilled_by=channel, items=items, created=at, updated=at,
        buyer_name=HOME["name"], address=SimAddress(**HOME),
    )  # fmt: skip
    if status == "PARTIALLY_SHIPPED":
        items[0].quantity = 2
    if status in {"PARTIALLY_SHIPPED", "SHIPPED"}:
        order.packages.append(SimPackage("1", "USPS", "9400", at, at, {items[0].item_id: 1}))
        order.recount()
    return order.order_id


def became(number: str) -> tuple[str, str]:
    """(status here, reason it was left out): one of the two is ''."""
    order = Order.objects.filter(order_number=number).first()
    skipped = SkippedOrder.objects.filter(order_number=number).first()
    assert (order is None) != (skipped is None)
    return (order.status, "") if order else ("", skipped.reason)


@pytest.fixture
def account(world):
    world.throttling = False
    world.digital_asins.add(DIGITAL.asin)
    return connect(scenarios.NA, sources=("US",))


def look_up() -> None:
    """What the queue does for products."""
    with jobs.inline():
        jobs.run(enrich_products.job_name)


def the_store(**switches) -> Store:
    Store.objects.update(**switches)
    return Store.objects.get()


@pytest.mark.parametrize(("active", "afn"), SWITCHES)
def test_each_channel_and_status_becomes_what_the_table_says(world, account, active, afn):
    store = the_store(active=active, import_afn=afn)
    numbers = {(c, s): one(world, c, s) for c, s in product(CHANNELS, STATUSES)}
    import_now(account)
    expected = {
        key: importmatrix.outcome(store, CHANNELS[key[0]], STATUSES[key[1]]) for key in numbers
    }  # fmt: skip
    assert {key: became(number) for key, number in numbers.items()} == {
        key: (found.status, found.reason) for key, found in expected.items()
    }


# The same in plain words, so that table and import cannot be wrong together.
PLAIN = {
    (MERCHANT, "PENDING_AVAILABILITY"): ("awaiting_payment", ""),
    (MERCHANT, "PENDING"): ("awaiting_payment", ""),
    (MERCHANT, "UNSHIPPED"): ("awaiting_shipment", ""),
    (MERCHANT, "PARTIALLY_SHIPPED"): ("awaiting_shipment", ""),
    (MERCHANT, "SHIPPED"): ("shipped", ""),
    (MERCHANT, "CANCELLED"): ("cancelled", ""),
    (MERCHANT, "UNFULFILLABLE"): ("cancelled", ""),
    (AMAZON, "SHIPPED"): ("shipped", ""),
    (AMAZON, "UNSHIPPED"): ("", "afn_not_shipped"),
    (AMAZON, "PENDING"): ("", "afn_not_shipped"),
    (AMAZON, "CANCELLED"): ("", "afn_not_shipped"),
    (AMAZON, "UNFULFILLABLE"): ("", "afn_not_shipped"),
}  # fmt: skip


@pytest.mark.parametrize(("channel", "status"), PLAIN)
def test_r23_to_r26_with_amazons_parcels_switched_on(world, account, channel, status):
    the_store(import_afn=True)
    number = one(world, channel, status)
    import_now(account)
    assert became(number) == PLAIN[channel, status]


def test_r25_with_the_switch_off_no_parcel_of_amazons_comes_in(world, account):
    numbers = [one(world, AMAZON, status) for status in STATUSES]
    import_now(account)
    assert {became(number) for number in numbers} == {("", "afn_off")}


def test_r27_of_amazons_parcels_the_place_is_kept_and_nobody(world, account):
    world.leaky_afn = True
    the_store(import_afn=True)
    number = one(world, AMAZON, "SHIPPED")
    import_now(account)
    order = Order.objects.select_related("person").get(order_number=number)
    person = order.person
    assert (person.city, person.state, person.country) == ("Austin", "TX", "US")
    assert [person.buyer_name, person.recipient_name, person.street1, person.phone, person.buyer_email] == [""] * 5
    assert (order.pii_state, order.redaction_due_at) == (PiiState.NONE, None)


@pytest.mark.parametrize("goods", [(PRODUCTS[0],), (DIGITAL, PRODUCTS[0])], ids=["physical", "mixed"])
def test_a7_one_physical_line_is_enough_and_all_lines_come_along(world, account, goods):
    number = one(world, MERCHANT, "UNSHIPPED", *goods)
    import_now(account)
    assert became(number) == ("awaiting_shipment", "")
    assert OrderItem.objects.filter(order__order_number=number).count() == len(goods)


def test_r24_files_only_are_left_out_and_listed(world, account):
    known = set(STATUSES) - {"UNFULFILLABLE"}  # Amazon says that of its own parcels only
    numbers = {status: one(world, MERCHANT, status, DIGITAL) for status in known}
    import_now(account)
    store = the_store()
    for status, number in numbers.items():
        found = importmatrix.files_only(store, STATUSES[status])
        assert became(number) == (found.status, found.reason), status


def test_r24_files_only_are_left_out_when_somebody_asks_for_the_order_as_well(world, account):
    number = one(world, MERCHANT, "UNSHIPPED", DIGITAL)
    assert fetching.fetch(account, number, now=clock.now()) == "skipped"
    assert became(number) == ("", SkippedOrder.Reason.NOT_PHYSICAL)


def test_r24_an_order_read_while_the_catalogue_was_silent_waits_instead_of_being_sent(world, account):
    world.faults.arm("searchCatalogItems", "503", times=None)
    number = one(world, MERCHANT, "UNSHIPPED", DIGITAL)
    import_now(account)
    world.faults.clear()
    world.clock.set(clock.advance(minutes=90))
    look_up()
    assert became(number) == ("on_hold", "")


@pytest.mark.parametrize("status", ["SHIPPED", "CANCELLED"])
def test_r28_a9_nothing_is_looked_up_for_what_was_over_before_we_saw_it(world, account, status):
    one(world, MERCHANT, status)
    import_now(account)
    look_up()
    assert Order.objects.count() == 1
    assert world.calls("searchCatalogItems") + world.calls("getCatalogItem") == 0


def test_r29_amazons_parcels_are_looked_up_although_shipped(world, account):
    the_store(import_afn=True)
    one(world, AMAZON, "SHIPPED")
    import_now(account)
    look_up()
    assert world.calls("searchCatalogItems") > 0


@pytest.mark.parametrize("status", ["PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED"])
def test_r38_cancelled_at_amazon_is_cancelled_here(world, account, travel, status):
    number = one(world, MERCHANT, status)
    import_now(account)
    travel(world, minutes=10)
    world.cancel(number)
    travel(world, minutes=5)
    import_now(account)
    assert became(number) == ("cancelled", "")


def test_a20_cancelled_after_we_shipped_stays_shipped_and_raises_an_alert(world, account, travel):
    number = one(world, MERCHANT, "UNSHIPPED")
    import_now(account)
    order = Order.objects.get(order_number=number)
    order.mark_shipped(at=clock.now())
    travel(world, minutes=10)
    world.cancel(number)
    travel(world, minutes=5)
    import_now(account)
    order.refresh_from_db()
    assert order.status == "shipped" and order.alert


def test_an_order_left_out_comes_in_once_it_may(world, account, travel):
    number = one(world, AMAZON, "UNSHIPPED")
    the_store(import_afn=True)
    import_now(account)
    assert became(number) == ("", "afn_not_shipped")
    travel(world, minutes=10)
    world.ship_elsewhere(number)
    travel(world, minutes=5)
    import_now(account)
    assert became(number) == ("shipped", "")


# --- the panel on the store's page


def left_out(store: Store, *reasons: str) -> None:
    SkippedOrder.objects.bulk_create(
        SkippedOrder(store=store, order_number=f"111-{n:07d}-0000000", reason=reason, seen_at=NOON)
        for n, reason in enumerate(reasons)
    )


def _panel(html: str) -> str:
    return html.partition('id="imports"')[2].partition("</section>")[0]


def test_the_page_says_what_is_taken_in_and_what_is_not(client, noon):
    store = make_store()
    sign_in(client, access.SUPPORT)
    panel = _panel(shown(client, store))
    assert panel.count("taken in") == 4 and panel.count("left out") == 4  # the last: none was left out
    assert "This store does not import orders that Amazon sends" in panel
    the_store(import_afn=True)
    panel = _panel(shown(client, store))
    assert panel.count("taken in") == 5 and "Amazon has not sent it yet" in panel
    the_store(active=False)
    panel = _panel(shown(client, store))
    assert "taken in" not in panel and panel.count("The store is not active") == 7


def test_the_page_counts_what_was_left_out_and_leads_to_it(client, noon):
    account = make_account()
    store, other = make_store("US", account=account), make_store("CA", account=account)
    left_out(store, "afn_off", "afn_off", "not_physical")
    left_out(other, "inactive")
    sign_in(client, access.SUPPORT)
    panel = _panel(shown(client, store))
    address = f"{reverse('admin:orders_skippedorder_changelist')}?store={store.pk}&amp;reason=afn_off"
    assert address in panel
    assert panel.index(">2<") < panel.index(">1<")
    listed = client.get(address.replace("&amp;", "&")).content.decode()
    assert "111-0000000-0000000" in listed and "111-0000002-0000000" not in listed
    assert "The store is not active" not in panel


def test_counts_cost_one_statement_however_many(client, noon, django_assert_num_queries):
    store = make_store()
    left_out(store, *["afn_off"] * 40, *["not_physical"] * 20)
    with django_assert_num_queries(1):
        found = importmatrix.left_out(store, linked=True)
    assert [row["count"] for row in found] == [40, 20]


def test_every_reason_has_its_words(noon):
    words = {importmatrix.left_out_words(reason) for reason in SkippedOrder.Reason.values}
    assert len(words) == len(SkippedOrder.Reason.values) and not words & set(SkippedOrder.Reason.values)


def test_a_store_without_amazon_has_no_such_panel(client, noon):
    store = make_store()
    plain = Store.objects.create(merchant=store.merchant, name="Fairs", platform=Store.Platform.MANUAL)
    client.force_login(make_user(access.SUPPORT))
    assert 'id="imports"' not in client.get(f"/admin/stores/store/{plain.pk}/change/").content.decode()
