"""Every address of the admin's work on orders: who may open it, who may post to it, and that a bad hand does no harm.

The table says what each role may do. An address that is not in it fails the run, so that none is built without a row.
"""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from orderhub import clock
from orderhub.webhooks.models import Endpoint
from orders.models import AutomationRule, Customer, HistoryRead, Order, QuarantinedOrder, SkippedOrder, Tag
from privacy import access
from shipments.models import ManualUpdate
from stores.models import Store
from tests.conftest import NOON
from tests.factories import make_key, make_merchant, make_order, make_shipment, make_user
from tests.longer import sampled
from tests.orders.goods import make_product

pytestmark = pytest.mark.django_db

SUPPORT, SUCCESS, WAREHOUSE, PRIVACY, ADMIN = (
    access.SUPPORT, access.SUCCESS, access.WAREHOUSE, access.PRIVACY, access.ADMINISTRATOR,
)  # fmt: skip
NO_ROLE, ALL_ROLES = "a member of staff without a role", "all roles at once"
EVERYBODY = frozenset(access.ROLES)
DESK = frozenset({SUPPORT, SUCCESS})
FETCHING = DESK | {ADMIN}
HOLDING = COUNTING = DESK | {WAREHOUSE}
REVEALING = frozenset({SUCCESS, PRIVACY})
NOBODY = frozenset()
LEADS = "leads to a page that asks for the rights itself"

# name: (arguments, who may GET or LEADS, who may POST)
DOORS = {
    # one order
    "orders_order_hold": ("order", LEADS, HOLDING),
    "orders_order_release": ("order", LEADS, HOLDING),
    "orders_order_cancellation": ("order", LEADS, DESK),
    "orders_order_romanise": ("order", LEADS, {SUPPORT}),
    "orders_order_alert": ("order", LEADS, DESK),
    "orders_order_note": ("order", LEADS, HOLDING),
    "orders_order_tag": ("order", LEADS, DESK),
    "orders_order_untag": ("order", LEADS, DESK),
    "orders_order_assign": ("order", LEADS, DESK),
    "orders_order_own-status": ("order", LEADS, DESK),
    "orders_order_weight": ("order", LEADS, DESK),
    "orders_order_details": ("order", LEADS, FETCHING),
    "orders_order_fetch": ("order", LEADS, FETCHING),
    "orders_order_customization": ("picture", {SUPPORT, WAREHOUSE}, NOBODY),
    "orders_order_correct": ("typed", {SUPPORT}, {SUPPORT}),
    "orders_order_erasure": ("order", DESK | {PRIVACY}, DESK | {PRIVACY}),
    "orders_order_change": ("order", EVERYBODY, NOBODY),
    "orders_order_reveal": ("order", LEADS, REVEALING),
    # the list, and what goes in and out
    "orders_order_changelist": ("", EVERYBODY, EVERYBODY),
    "orders_order_view_save": ("", LEADS, EVERYBODY),
    "orders_order_view_delete": ("", LEADS, EVERYBODY),
    "orders_order_enter": ("", DESK, DESK),
    "orders_order_csv": ("", DESK, DESK),
    "orders_order_csv_confirm": ("", DESK, DESK),
    "orders_order_export": ("", EVERYBODY, EVERYBODY),
    "orders_export_people": ("", {PRIVACY}, {PRIVACY}),
    "orders_people": ("", DESK | {PRIVACY}, DESK | {PRIVACY}),
    "orders_radar": ("", EVERYBODY, EVERYBODY),
    "orders_where": ("", EVERYBODY | {NO_ROLE}, NOBODY),  # without orders, it says no more than that
    "orders_where_fetch": ("", LEADS, FETCHING),
    # products
    "orders_product_changelist": ("", EVERYBODY, EVERYBODY),
    "orders_product_change": ("product", EVERYBODY, COUNTING),
    "orders_product_count": ("product", LEADS, COUNTING),
    "orders_product_ask": ("product", LEADS, COUNTING),
    "orders_product_photo": ("photo", EVERYBODY, NOBODY),
    "orders_product_rekey": ("store", DESK, DESK),
    # customers
    "orders_customer_changelist": ("", DESK | {PRIVACY}, DESK | {PRIVACY}),
    "orders_customer_change": ("customer", DESK | {PRIVACY}, NOBODY),
    "orders_customer_find": ("", LEADS, DESK | {PRIVACY}),
    "orders_customer_reveal": ("customer", LEADS, REVEALING),
    "orders_customer_join": ("customer", DESK, DESK),
    "orders_customer_erasure": ("customer", DESK | {PRIVACY}, DESK | {PRIVACY}),
    # tags and rules
    "orders_tag_changelist": ("", DESK, DESK),
    "orders_tag_add": ("", DESK, DESK),
    "orders_tag_change": ("tag", DESK, DESK),
    "orders_tag_delete": ("tag", DESK, DESK),
    "orders_automationrule_changelist": ("", DESK, NOBODY),
    "orders_automationrule_order": ("", LEADS, DESK),
    "orders_automationrule_trial": ("automationrule", DESK, NOBODY),
    "orders_automationrule_switch": ("automationrule", LEADS, DESK),
    "orders_automationrule_add": ("", DESK, DESK),
    "orders_automationrule_change": ("automationrule", DESK, DESK),
    "orders_automationrule_delete": ("automationrule", DESK, DESK),
    # what was read and left out
    "orders_historyread_changelist": ("", FETCHING, FETCHING),
    "orders_historyread_change": ("historyread", FETCHING, NOBODY),
    "orders_skippedorder_changelist": ("", EVERYBODY, EVERYBODY),
    "orders_skippedorder_change": ("skippedorder", EVERYBODY, NOBODY),
    "orders_quarantinedorder_changelist": ("", EVERYBODY, EVERYBODY),
    "orders_quarantinedorder_change": ("quarantinedorder", EVERYBODY, NOBODY),
    # paper
    "shipments_pick": ("", EVERYBODY, NOBODY),
    "shipments_pick_pdf": ("", EVERYBODY, NOBODY),
    "shipments_slip": ("order", {SUPPORT, WAREHOUSE}, NOBODY),
    "shipments_return": ("order", {SUPPORT, WAREHOUSE}, {SUPPORT, WAREHOUSE}),
    # parcels that are not simply one order's, and what is left to a hand
    "shipments_split": ("part", {SUPPORT, WAREHOUSE}, {SUPPORT, WAREHOUSE}),
    "shipments_combine": ("", {SUPPORT, WAREHOUSE}, {SUPPORT, WAREHOUSE}),
    "shipments_void": ("parcel", {SUPPORT, WAREHOUSE}, {SUPPORT, WAREHOUSE}),
    "shipments_manual_done": ("manualupdate", LEADS, DESK),
    "shipments_manual_undo": ("manualupdate", LEADS, DESK),
    "shipments_manualupdate_changelist": ("", DESK, DESK),
    "shipments_manualupdate_change": ("manualupdate", DESK, DESK),
    "shipments_manualupdate_history": ("manualupdate", DESK, DESK),
    "shipments_manualupdate_add": ("", NOBODY, NOBODY),
    "shipments_manualupdate_delete": ("nothing", NOBODY, NOBODY),
    # notices that do not go through
    "shipments_errors": ("", FETCHING | {WAREHOUSE}, NOBODY),
    "shipments_cockpit": ("", FETCHING | {WAREHOUSE}, NOBODY),
    "shipments_tellnow": ("account", LEADS, FETCHING),
    "shipments_remedy": ("notice", LEADS, FETCHING),
    "shipments_done": ("notice", LEADS, FETCHING),
    "shipments_undone": ("notice", LEADS, FETCHING),
    "shipments_correct": ("notice", LEADS, {SUPPORT}),
    # where clients are told
    "webhooks_endpoint_changelist": ("", {ADMIN}, {ADMIN}),
    "webhooks_endpoint_change": ("endpoint", {ADMIN}, NOBODY),
    "webhooks_endpoint_history": ("endpoint", {ADMIN}, {ADMIN}),
    "webhooks_endpoint_add": ("", NOBODY, NOBODY),
    "webhooks_endpoint_delete": ("nothing", NOBODY, NOBODY),
    "webhooks_endpoint_test": ("endpoint", LEADS, {ADMIN}),
    "webhooks_endpoint_switch": ("endpoint", LEADS, {ADMIN}),
    # keys of programs
    "orderhub_apikey_changelist": ("", {ADMIN}, {ADMIN}),
    "orderhub_apikey_add": ("", {ADMIN}, {ADMIN}),
    "orderhub_apikey_change": ("apikey", {ADMIN}, NOBODY),
    "orderhub_apikey_edit": ("apikey", {ADMIN}, {ADMIN}),
    "orderhub_apikey_revoke": ("apikey", {ADMIN}, {ADMIN}),
    "orderhub_apikey_history": ("apikey", {ADMIN}, {ADMIN}),
    "orderhub_apikey_delete": ("nothing", NOBODY, NOBODY),
    # stores without a marketplace
    "stores_store_add_manual": ("", FETCHING, FETCHING),
}
SEEN_BY = {  # who may open the history that the admin keeps of each
    "order": EVERYBODY, "product": EVERYBODY, "customer": DESK | {PRIVACY}, "tag": DESK, "automationrule": DESK,
    "historyread": FETCHING, "skippedorder": EVERYBODY, "quarantinedorder": EVERYBODY,
}  # fmt: skip
for _model, _who in SEEN_BY.items():
    DOORS.setdefault(f"orders_{_model}_history", (_model, _who, _who))
    DOORS.setdefault(f"orders_{_model}_add", ("", NOBODY, NOBODY))
    DOORS.setdefault(f"orders_{_model}_delete", ("nothing", NOBODY, NOBODY))
EARLIER = {"shipments_ship", "shipments_label", "shipments_retry"}  # proved in tests/screens/test_shipping_*.py
EARLIER |= {"shipments_mail", "shipments_mailagain", "shipments_voidreturn"}  # and those in test_shipping_mails.py
EARLIER |= {"shipments_buy", "shipments_purchase"}  # in test_shipping_buying.py
EARLIER |= {"shipments_slips", "shipments_note"}  # in tests/shipments/test_merging.py and test_slips_parcels.py
READS = re.compile(r"SELECT|DECLARE .* CURSOR FOR SELECT|SAVEPOINT|RELEASE|ROLLBACK|BEGIN")
BESIDES = re.compile(  # views, refusals, sessions and messages are kept
    r'INSERT INTO "privacy_(?:accesslog|securityevent)"|[A-Z ]+"(?:django_session|signin_staffsession)"'
)
FIELDS = {  # every name any of the forms reads
    "reason", "until_day", "until_time", "answer", "alert", "text", "tag", "user", "own", "name", "query", "shared",
    "view", "store", "content", "file", "grams", "number", "account", "units", "order", "identifier", "email", "with",
    "level", "active", "go", "as_loaded", "warehouse_location", "weight_g", "length_mm", "width_mm", "height_mm", "title",
    "platform", "merchant", "new_merchant", "time_zone", "product_identifier", "order_number", "status", "ordered_at",
    "ship_by", "deliver_by", "service_level", "requested_service", "payment_method", "currency", "shipping_total",
    "recipient_name", "recipient_company", "street1", "postal_code", "city", "country", "phone", "buyer_name",
    "buyer_email", "gift_message", "custom_field_1", "seen", "show", "roman_name", "roman_street1", "position-1",
    "line-TOTAL_FORMS", "line-INITIAL_FORMS", "line-0-item", "line-0-sku", "line-0-asin", "line-0-title",
    "line-0-quantity", "line-0-unit_price", "line-0-tax", "line-0-discount", "line-0-weight_g", "line-0-options",
    "line-0-warehouse_location", "criteria-TOTAL_FORMS", "criteria-0-group", "criteria-0-fact", "criteria-0-test",
    "criteria-0-value", "actions-TOTAL_FORMS", "actions-0-action", "actions-0-value", "ids", "location",
    "put_on", "take_off", "select_across", "index", "seal", "again", "part-carrier", "part-service", "part-tracking_number",
    "part-ship_date", "part-no_label", "part-units-1", "part-units-2", "part-units-3", "step", "undo", "warned",
    "owner", "scopes", "store_ids", "networks", "naive_zone", "rate_per_minute", "days",
}  # fmt: skip
PARAMETERS = (
    "q", "p", "o", "tab", "store", "due", "kind", "who", "service", "notice", "privacy", "by", "own", "custom", "filled",
    "lack", "merchant", "account", "state", "found", "number", "ids", "with", "all", "e", "_popup", "_to_field", "reason",
    "horizon", "why",
)  # fmt: skip
HOSTILE = {
    "NUL": "a\0b",
    "only NUL": "\0",
    "negative": "-1",
    "beyond every column": "9" * 30,
    "beyond what int() reads": "9" * 5000,
    "exponent": "1e999999",
    "no number": "NaN",
    "signalling": "sNaN",
    "other digits": "٣²",
    "first day": "0001-01-01",
    "last day": "9999-12-31",
    "one moment": "23:59",
    "bidi and controls": "\u202e\x1b[2J\r\nX: y",
    "markup": "'\"><script>alert(1)</script>{{ 7 }}%(x)s%s",
    "long": "é" * 9000,
}
WORST = ("NUL", "beyond what int() reads")
EVERYWHERE = sampled(HOSTILE, ["NUL"])  # in all fields at once; beside these, a mixture of all
MIXED = "one after the other"


def spread(names, what: str) -> dict[str, str]:
    """This text in every field; or all the texts, one after the other."""
    texts = list(HOSTILE.values())
    if what == MIXED:
        return {name: texts[place % len(texts)] for place, name in enumerate(sorted(names))}
    return dict.fromkeys(names, HOSTILE[what])


NUMBER = "123-1234567-1234567"
VALID = {  # what a good hand types; every field of it is then typed by a bad one
    "orders_order_hold": {"reason": "check", "until_day": "2026-11-25", "until_time": "10:00"},
    "orders_order_romanise": {"roman_recipient_name": "Yamada", "roman_street1": "Tokyo"},
    "orders_order_alert": {"alert": "Look"},
    "orders_order_note": {"text": "Called"},
    "orders_order_tag": {"tag": "1"},
    "orders_order_assign": {"user": "me"},
    "orders_order_own-status": {"own": "Packed"},
    "orders_order_weight": {"grams": "12"},
    "orders_order_view_save": {"name": "Mine", "query": "tab=hold&o=1", "shared": "on"},
    "orders_order_view_delete": {"view": "1", "query": "tab=hold"},
    "orders_order_enter": {
        "currency": "EUR", "recipient_name": "A", "street1": "B", "city": "C", "country": "FR", "order_number": "X-1",
        "shipping_total": "1", "ordered_at": "2026-11-20T10:00", "buyer_email": "a@example.org", "gift_message": "x",
        "line-TOTAL_FORMS": "1", "line-INITIAL_FORMS": "0", "line-0-sku": "S", "line-0-quantity": "1", "show": "",
        "line-0-unit_price": "1", "line-0-tax": "1", "line-0-discount": "0", "line-0-weight_g": "1", "line-0-asin": "A",
        "line-0-options": "a=b", "line-0-title": "t", "line-0-warehouse_location": "A1", "line-0-item": "", "store": "",
        "custom_field_1": "x", "buyer_notes": "y", "status": "awaiting_shipment",
    },
    "orders_order_csv_confirm": {"store": "", "content": "b3JkZXJfbnVtYmVyCg=="},
    "orders_where_fetch": {"number": NUMBER, "account": ""},
    "orders_product_change": {"warehouse_location": "A1", "weight_g": "5", "length_mm": "5", "title": "T"},
    "orders_product_count": {"units": "3", "order": ""},
    "orders_product_rekey": {"identifier": "asin"},
    "orders_customer_find": {"email": "a@example.org"},
    "orders_customer_join": {"with": "#1"},
    "orders_customer_erasure": {"reason": "buyer"},
    "orders_order_erasure": {"reason": "buyer"},
    "orders_tag_add": {"name": "later", "level": "info"},
    "orders_automationrule_order": {"position-1": "2"},
    "orders_automationrule_switch": {"active": "on"},
    "stores_store_add_manual": {
        "platform": "manual", "new_merchant": "M", "merchant": "", "name": "Market", "time_zone": "UTC",
        "product_identifier": "sku",
    },
}  # fmt: skip
CHOSEN = {"_selected_action": ["1", "x\0", "-1", "9" * 5000]}


def door(name: str, given) -> str:
    return reverse(f"admin:{name}", args=given[DOORS[name][0]])


@pytest.fixture
def given(noon, db, behind) -> dict[str, list]:
    """Something behind every address."""
    return behind


@pytest.fixture(scope="module")
def behind(django_db_setup, django_db_blocker):
    """It is made once: a test sees it as it was made, and whatever it does to it is rolled back."""
    with django_db_blocker.unblock(), clock.at(NOON), transaction.atomic():
        made = make_all(NOON)
        CLIENTS.update({role: signed_in(role) for role in access.ROLES} | {NO_ROLE: signed_in()})
        CLIENTS[ALL_ROLES] = signed_in(*access.ROLES)
        yield made
        transaction.set_rollback(True)


CLIENTS: dict[str, Client] = {}


def make_all(noon) -> dict[str, list]:
    order = make_order(lines=1)
    person = order.person
    person.recipient_name, person.street1 = "山田", "東京"
    person.save(update_fields=["recipient_name", "street1"])
    manual = make_store_by_hand()
    typed = make_order(manual, order_number="M-1", origin_marketplace="manual")
    tag, rule = (
        Tag.objects.create(name="urgent"),
        AutomationRule.objects.create(name="r", position=1, changed_at=noon, criteria=[], actions=[]),
    )
    customer = Customer.objects.create(merchant=order.store.merchant, account=order.store.account)
    Order.objects.filter(pk=order.pk).update(customer=customer)
    read = HistoryRead.objects.create(
        account=order.store.account, kind="gaps", started_at=noon, created_after=noon, created_before=noon,
    )  # fmt: skip
    skipped = SkippedOrder.objects.create(store=order.store, order_number="1", reason="afn_off", seen_at=noon)
    unread = QuarantinedOrder.objects.create(account=order.store.account, order_number="2", code="X", seen_at=noon)
    parcel = make_shipment(make_order(order.store))
    update = ManualUpdate.objects.create(order=parcel.order, shipment=parcel, created_at=noon, remind_at=noon)
    endpoint = Endpoint.objects.create(url="https://hooks.invalid/", url_shown="https://hooks.invalid", secret="s")
    return {
        "endpoint": [endpoint.pk], "apikey": [make_key(order.store)[0].pk],
        "part": [units_of_three(order.store).pk], "parcel": [parcel.pk], "manualupdate": [update.pk],
        "account": [order.store.account_id],
        "": [], "order": [order.pk], "typed": [typed.pk], "picture": [order.pk, 1, 0], "tag": [tag.pk],
        "product": [make_product(order.store).pk], "photo": ["0" * 32 + ".png"], "store": [order.store_id],
        "customer": [customer.pk], "automationrule": [rule.pk], "historyread": [read.pk], "nothing": [4711],
        "skippedorder": [skipped.pk], "quarantinedorder": [unread.pk],
        "notice": [make_shipment(make_order(order.store), with_label=False).notifications.get().pk],
    }  # fmt: skip


def units_of_three(store: Store) -> Order:
    order = make_order(store)
    order.items.update(quantity=3)
    return order


def make_store_by_hand() -> Store:
    return Store.objects.create(
        merchant=make_merchant(), platform=Store.Platform.MANUAL, name="Fair", time_zone="Europe/Paris"
    )


def signed_in(*roles: str) -> Client:
    client = Client()
    client.force_login(make_user(*roles))
    return client


def ask(client: Client, method: str, url: str, data=None, **more) -> tuple[object, list[str]]:
    """The answer and what was written for it; nothing of it stays."""
    client.cookies.pop("messages", None)
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        answer = getattr(client, method)(url, data or {}, **more)
        transaction.set_rollback(True)
    written = [sql for query in asked if not READS.match(sql := str(query["sql"]))]
    return answer, [sql for sql in written if not BESIDES.match(sql)]


def people() -> dict[str, Client]:
    return {role: client for role, client in CLIENTS.items() if role != ALL_ROLES}


def test_every_address_has_its_row():
    names = {
        found.name for part in get_resolver("orderhub.urls").url_patterns for found in getattr(part, "url_patterns", [part])
        for found in getattr(found, "url_patterns", [found])
    }  # fmt: skip
    ours = {
        name for name in names
        if name and (
            name.startswith(("orders_", "webhooks_", "orderhub_apikey_"))
            or re.fullmatch("shipments_[a-z]+(_pdf)?", name) and not name.endswith("_shipment")
            or "manual" in name
        )
    }  # fmt: skip
    assert len(ours) > 60
    assert ours - EARLIER == set(DOORS)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", DOORS)
def test_who_may_open_it(given, name):
    """A refusal is a 403; reading writes nothing but who saw what."""
    _args, may, _post = DOORS[name]
    found = {}
    for role, client in people().items():
        answer, written = ask(client, "get", door(name, given))
        assert written == [], (role, written)
        found[role] = answer.status_code
    if may == LEADS:
        assert {role for role, status in found.items() if status != 302} <= {
            role for role, status in found.items() if status == 403
        }
        return
    assert {role for role, status in found.items() if status != 403} == set(may)
    assert set(found.values()) <= {200, 302, 403, 404}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", DOORS)
def test_who_may_post_to_it(given, name):
    """A refusal is a 403, or a 405 where nobody may; it writes nothing."""
    _args, _get, may = DOORS[name]
    found = {}
    for role, client in people().items():
        answer, written = ask(client, "post", door(name, given))
        found[role] = answer.status_code
        if role not in may:
            assert written == [], (role, written)
    assert {role for role, status in found.items() if status not in {403, 405}} == set(may)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", DOORS)
def test_nobody_comes_in_unknown_or_with_a_forged_form(given, name):
    url = door(name, given)
    for method in ("get", "post"):
        answer = getattr(Client(), method)(url)
        assert answer.status_code == 302 and "/login/" in answer["Location"]
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = CLIENTS[ALL_ROLES].cookies
    before = LogEntry.objects.count()
    assert forged.post(url).status_code == 403
    assert LogEntry.objects.count() == before


@pytest.mark.sampled(8)
@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_do_nothing(given, name, method):
    answer, written = ask(CLIENTS[ALL_ROLES], method, door(name, given))
    assert answer.status_code < 500 and written == [], written


@pytest.mark.parametrize("name", [name for name, (_args, _get, post) in DOORS.items() if post])
@pytest.mark.parametrize("what", [MIXED, *EVERYWHERE])
def test_whatever_is_typed_gets_an_answer(given, name, what):
    """No payload in any field is a fault of ours; none comes back as markup."""
    answer, _written = ask(CLIENTS[ALL_ROLES], "post", door(name, given), spread(FIELDS, what) | CHOSEN)
    assert answer.status_code < 500
    if not answer.streaming:
        assert b"<script>alert" not in answer.content
    assert "\n" not in answer.get("Location", "") and "alert(1)" not in answer.get("Location", "")


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", VALID)
def test_one_bad_field_among_good_ones_gets_an_answer(given, name):
    client, good = CLIENTS[ALL_ROLES], dict(VALID[name])
    if "store" in good:
        good["store"] = str(Store.objects.get(platform=Store.Platform.MANUAL).pk)
    for field in good:
        for what in WORST:
            answer, _written = ask(client, "post", door(name, given), good | {field: HOSTILE[what]})
            assert answer.status_code < 500, (field, what)
            assert b"<script>alert" not in answer.content, (field, what)


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("what", [MIXED, *EVERYWHERE])
def test_whatever_stands_in_the_address_gets_an_answer(given, name, what):
    answer, written = ask(CLIENTS[ALL_ROLES], "get", door(name, given), spread(PARAMETERS, what))
    assert answer.status_code < 500 and written == []
    if not answer.streaming:
        assert b"<script>alert" not in answer.content


@pytest.mark.sampled(3)
@pytest.mark.parametrize("what", WORST)
@pytest.mark.parametrize("only", PARAMETERS)
def test_whatever_stands_alone_in_the_address_of_the_list_gets_an_answer(given, only, what):
    url = door("orders_order_changelist", given)
    answer, written = ask(CLIENTS[ALL_ROLES], "get", url, {only: HOSTILE[what]})
    assert answer.status_code < 500 and written == []
    assert b"<script>alert" not in answer.content


@pytest.mark.parametrize(
    "action",
    [
        "ship",
        "combine",
        "pick",
        "hold",
        "hold_until",
        "release",
        "assign_to_me",
        "assign",
        "change_tags",
        "set_own_status",
    ],
)
@pytest.mark.parametrize("answered", [False, True])
def test_each_action_of_the_list_asks_for_its_right(given, action, answered):
    """The list of actions is not trusted: a posted name is refused as well."""
    may = {"ship": {SUPPORT, WAREHOUSE}, "combine": {SUPPORT, WAREHOUSE}, "pick": EVERYBODY}.get(
        action, HOLDING if action in {"hold", "hold_until", "release"} else DESK
    )
    Order.objects.update(status=Order.Status.ON_HOLD if action == "release" else Order.Status.AWAITING_SHIPMENT)
    posted = {
        "action": action, "_selected_action": given["order"], "reason": "check", "put_on": given["tag"], "own": "",
        "user": "",
    } | ({"answered": "1"} if answered else {})  # fmt: skip
    for role, client in people().items():
        answer, written = ask(client, "post", reverse("admin:orders_order_changelist"), posted)
        if role not in may:
            assert written == [] and "pick" not in answer.get("Location", ""), role
        elif action in {"hold", "release", "assign_to_me"} or (answered and action in {"hold_until", "change_tags"}):
            assert written, role
        else:
            assert answer.status_code in {200, 302}


def test_no_address_or_title_names_a_buyer(given):
    """Whoever looks over a shoulder, or reads a history of addresses, learns numbers only."""
    client = CLIENTS[ALL_ROLES]
    for name, (_args, _get, _post) in DOORS.items():
        answer, _written = ask(client, "get", door(name, given))
        assert "Ada" not in answer.get("Location", "")
        if answer.status_code == 200 and not answer.streaming and b"<title>" in answer.content:
            title = answer.content.partition(b"<title>")[2].partition(b"</title>")[0].decode()
            assert "Ada" not in title and "山田" not in title


def test_who_may_not_open_accounts_and_settings_is_sent_to_somebody_else(given):
    """“Where is order X?” shows every role what became of it, and a way only to pages that the reader may open."""
    skipped = SkippedOrder.objects.get(order_number="1")
    SkippedOrder.objects.update(order_number=NUMBER)
    for role, client in people().items():
        for number in (NUMBER, "999-0000000-0000000"):
            answer, _written = ask(client, "get", reverse("admin:orders_where"), {"number": number})
            for url in re.findall(
                r'href="(/admin/stores/[^"?]+)', answer.content.decode().partition("verdict-title")[2]
            ):
                assert ask(client, "get", url)[0].status_code == 200, (role, url)
        shown = answer.content.decode()
        answer, _written = ask(client, "get", reverse("admin:orders_where"), {"number": NUMBER})
        opens = reverse("admin:stores_store_change", args=[skipped.store_id]) in answer.content.decode()
        assert opens is (role in FETCHING), role
        assert ("/admin/stores/amazonaccount/" in shown.partition("verdict-title")[2]) is (role in FETCHING), role
        told = "Your role may not do this: ask support." in answer.content.decode()
        assert told is (role in {WAREHOUSE, PRIVACY}), role
