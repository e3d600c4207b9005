"""Automation rules (F41, R42): what a rule may ask, what it may do, in which order, once; and what a bad one does."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock
from orders import ruling
from orders.models import AutomationRule, Order, OrderItem, Product, RuleFiring, Tag
from orders.rules import engine
from orders.rules.conditions import TESTS, WITHOUT_VALUE, Invalid, compiled
from orders.rules.facts import FACTS
from orders.subjects import subjects
from stores.models import MarketplaceStatus, Store
from stores.simulator import scenarios
from tests.factories import make_account, make_order, make_store, make_user
from tests.orders.ruled import run_for

pytestmark = pytest.mark.django_db
ALWAYS = [{"lines": "", "criteria": [{"fact": "source", "test": "filled", "value": None}]}]


def about(fact, test, value=None, *, lines=""):
    return [{"lines": lines, "criteria": [{"fact": fact, "test": test, "value": value}]}]


def make_rule(criteria=ALWAYS, *actions, **given):
    position = AutomationRule.objects.count()
    defaults = {"name": f"Rule {position}", "position": position, "active": True}
    told = [{"do": do, "value": value} for do, value in actions]
    return AutomationRule.objects.create(criteria=criteria, actions=told, **(defaults | given))


def enter(order: Order) -> Order:
    assert run_for(order, now=clock.now())
    return order


def trace(order: Order) -> list[dict]:
    return RuleFiring.objects.get(order=order).trace


def holds(criteria, order: Order) -> bool:
    """Whether a rule with these criteria would fire on this order."""
    rule = AutomationRule(pk=1, name="x", criteria=criteria)
    ruler = ruling.Ruler([order.store], rules=[rule])
    subject = subjects(Order.objects.filter(pk=order.pk))[0]
    _case, lines = ruler.decide(subject, now=clock.now())
    assert ruler.broken == {}
    return lines[0]["fired"]


def _full(noon) -> Order:
    store = make_store("FR", time_zone="Europe/Paris", ship_from={"country": "FR"})
    order = make_order(
        store, lines=2, currency="EUR", order_total=Decimal("120.00"), item_total=Decimal("110.00"),
        shipping_total=Decimal("10.00"), weight_g=900, service_level="EXPEDITED", requested_service="Std DE Dom",
        is_gift=True, is_business=True, is_prime=False, programs=["AMAZON_BUSINESS"], payment_method="CreditCard",
        custom_field_1="A-7", address_type="Residential", replaces="", ship_by=noon + timedelta(hours=5),
        ordered_at=noon - timedelta(hours=2),
        person={"city": "Köln", "state": "NRW", "postal_code": "50667", "country": "DE"},
    )  # fmt: skip
    order.tags.add(Tag.objects.create(name="Fragile"))
    first, second = order.items.all()
    product = Product.objects.create(
        store=store, key="SKU-1", weight_g=450, warehouse_location="B-12", stock_on_hand=1, stock_confirmed_at=noon
    )
    OrderItem.objects.filter(pk=first.pk).update(
        product=product, quantity=3, title="Ｃａｆé noir", condition="New", promotions=["SPRING"],
        options=[{"name": "Colour", "value": "Red"}], unit_price=Decimal("30.00"),
    )  # fmt: skip
    OrderItem.objects.filter(pk=second.pk).update(quantity=1, unit_price=Decimal("20.00"))
    return order


FACTS_HELD = {  # fact: (test, a value that holds, one that does not)
    "store": None, "assigned": None, "tags": None,  # by id: see below
    "marketplace": ("one_of", ["FR"], ["DE", "US"]),
    "country": ("is", "de", "FR"),
    "state": ("is", "nrw", "BY"),
    "city": ("is", "KÖLN", "Koln"),
    "postcode": ("starts", "50", "51"),
    "address_type": ("is", "RESIDENTIAL", "COMMERCIAL"),
    "order_total": ("at_least", {"amount": "120", "currency": "EUR"}, {"amount": "120.01", "currency": "EUR"}),
    "item_total": ("at_most", {"amount": "110.00", "currency": "EUR"}, {"amount": "109.99", "currency": "EUR"}),
    "shipping_paid": ("between", {"amount": ["5", "10"], "currency": "EUR"}, {"amount": ["1", "9"], "currency": "EUR"}),
    "currency": ("is", "EUR", "USD"),
    "weight": ("between", [900, 1000], [901, 1000]),
    "units": ("is", 4, 2),
    "lines": ("is", 2, 4),
    "service_level": ("one_of", ["EXPEDITED", "NEXT_DAY"], ["STANDARD"]),
    "requested_service": ("contains", "de dom", "FR Dom"),
    "program": ("one_of", ["amazon_business"], ["PRIME"]),
    "payment_method": ("is", "creditcard", "COD"),
    "custom_1": ("is", "a-7", "A-8"),
    "ship_by_hours": ("at_most", 5, 4),
    "weekday": ("one_of", ["fri"], ["mon"]),
    "hour": ("is", 11, 10),
    "source": ("one_of", ["import"], ["hand", "file"]),
    "sku": ("is", "sku-2", "SKU-3"),
    "asin": ("starts", "B0", "C0"),
    "title": ("contains", "CAFÉ", "tea"),
    "quantity": ("at_least", 3, 4),
    "unit_price": ("at_least", {"amount": "30", "currency": "EUR"}, {"amount": "31", "currency": "EUR"}),
    "line_total": ("at_least", {"amount": "90", "currency": "EUR"}, {"amount": "91", "currency": "EUR"}),
    "condition": ("is", "new", "used"),
    "option": ("one_of", ["colour=red"], ["Colour=Blue"]),
    "promotion": ("one_of", ["SPRING"], ["AUTUMN"]),
    "location": ("starts", "b-", "C"),
    "product_weight": ("is", 450, 451),
}  # fmt: skip
FLAGS = {
    "international": True, "not_roman": False, "gift": True, "business": True, "prime": False, "replacement": False,
    "cancel_requested": False, "customised": False, "short": True,
}  # fmt: skip
EMPTY = ["custom_2", "custom_3"]


def test_every_fact_is_proven():
    assert {*FACTS_HELD, *FLAGS, *EMPTY} == FACTS.keys()


@pytest.mark.parametrize("fact", [fact for fact, told in FACTS_HELD.items() if told])
def test_a_fact_is_compared(fact, noon):
    test, yes, no = FACTS_HELD[fact]
    order, lines = _full(noon), "any" if FACTS[fact].of_line else ""
    assert holds(about(fact, test, yes, lines=lines), order)
    assert not holds(about(fact, test, no, lines=lines), order)


@pytest.mark.parametrize("fact", FLAGS)
def test_a_truth_is_compared(fact, noon):
    order, lines = _full(noon), "any" if FACTS[fact].of_line else ""
    assert holds(about(fact, "yes", lines=lines), order) == FLAGS[fact]
    assert holds(about(fact, "no", lines=lines), order) != FLAGS[fact]


def test_what_has_an_id_is_compared_by_it(noon):
    order, user = _full(noon), make_user("Support")
    Order.objects.filter(pk=order.pk).update(assigned_to=user)
    tag = Tag.objects.get()
    for fact, pk in (("store", order.store_id), ("assigned", user.pk), ("tags", tag.pk)):
        assert holds(about(fact, "one_of", [pk]), order), fact
        assert not holds(about(fact, "one_of", [pk + 1]), order), fact
        assert holds(about(fact, "none_of", [pk + 1]), order), fact
    assert all(holds(about(fact, "empty"), order) for fact in EMPTY)
    assert not holds(about("custom_1", "empty"), order)


def test_an_amount_of_another_currency_meets_nothing_and_the_trace_says_so(noon):
    order = make_order(currency="JPY", order_total=Decimal(90000))
    make_rule(about("order_total", "at_least", {"amount": "50", "currency": "EUR"}), ("alert", "big"))
    enter(order)
    assert order.alert == ""
    assert trace(order)[0]["why"]["code"] == "currency"


@pytest.mark.parametrize("kind", TESTS)
def test_what_the_order_does_not_say_meets_no_test_but_empty(kind):
    values = {"text": "x", "texts": ["x"], "choice": ["x"], "choices": ["x"], "number": 1}
    for test, build in TESTS[kind].items():
        value = [1, 2] if test == "between" else values.get(kind, 1)
        value = [value] if test.endswith("one_of") or test == "none_of" else value
        value = value[0] if isinstance(value, list) and isinstance(value[0], list) else value
        value = "x" if kind == "texts" and not test.endswith("_of") else value
        question = build(None if test in WITHOUT_VALUE else value)
        nothing = [] if kind in {"texts", "choices"} else "" if kind == "text" else None
        assert question(nothing) is (test == "empty" or test.startswith("not") or test == "none_of"), test


@pytest.mark.parametrize(
    ("lines", "skus", "fires"),
    [("any", ["A", "B"], True), ("all", ["A", "B"], False), ("all", ["A", "A"], True), ("any", ["C", "B"], False)],
)
def test_any_line_and_all_lines(noon, lines, skus, fires):
    order = make_order(lines=2)
    for item, sku in zip(order.items.all(), skus, strict=True):
        OrderItem.objects.filter(pk=item.pk).update(sku=sku)
    assert holds(about("sku", "is", "A", lines=lines), order) == fires


def test_one_line_must_meet_all_criteria_of_its_group(noon):
    order = make_order(lines=2)
    OrderItem.objects.filter(order=order, sku="SKU-2").update(quantity=5)
    both = [
        {"fact": "sku", "test": "is", "value": "SKU-1"},
        {"fact": "quantity", "test": "at_least", "value": 5},
    ]
    make_rule([{"lines": "any", "criteria": both}], ("alert", "never"))
    make_rule([{"lines": "any", "criteria": [each]} for each in both], ("alert", "apart"))
    enter(order)
    assert order.alert == "apart"
    assert trace(order)[0]["why"] == {"code": "no_line", "lines": "any"}


def test_r42_all_groups_are_required_and_the_trace_names_the_first_that_failed(noon):
    order = make_order(is_gift=True)
    make_rule([*about("gift", "yes"), *about("country", "is", "FR"), *about("prime", "yes")], ("alert", "x"))
    enter(order)
    line = trace(order)[0]
    assert (order.alert, line["fired"]) == ("", False)
    assert line["why"] == {"code": "criterion", "lines": "", "fact": "country", "test": "is", "value": "FR"}


def test_r42_rules_run_in_their_order_later_wins_and_stop_stops(noon):
    order = make_order()
    make_rule(ALWAYS, ("carrier", "ups"), ("service", "Ground"), position=2, name="second")
    make_rule(ALWAYS, ("carrier", "dpd"), ("package", "Box"), position=1, name="first")
    make_rule(ALWAYS, ("alert", "third"), position=3, name="third", stops=True)
    make_rule(ALWAYS, ("alert", "fourth"), position=4, name="fourth")
    make_rule(ALWAYS, ("alert", "off"), position=0, name="off", active=False)
    enter(order)
    assert order.wishes == {"carrier": "ups", "service": "Ground", "package": "Box"}
    assert order.alert == "third"
    assert [(line["name"], line["fired"]) for line in trace(order)] == [
        ("first", True), ("second", True), ("third", True), ("fourth", False),
    ]  # fmt: skip
    assert trace(order)[3]["why"] == {"code": "stopped"}
    assert order.events.get(kind="rules").params == {"rules": "first, second, third"}


def test_what_one_rule_decides_the_next_one_sees(noon):
    tag = Tag.objects.create(name="urgent")
    order = make_order()
    make_rule(ALWAYS, ("tag", [tag.pk]), ("weight", 700))
    make_rule([*about("tags", "one_of", [tag.pk]), *about("weight", "is", 700)], ("alert", "seen"))
    enter(order)
    assert order.alert == "seen"
    assert (order.weight_g, order.weight_is_typed) == (700, True)


def test_r42_every_order_is_run_once_and_editing_runs_nothing_again(noon):
    rule = make_rule(ALWAYS, ("alert", "one"))
    order = enter(make_order())
    AutomationRule.objects.filter(pk=rule.pk).update(actions=[{"do": "alert", "value": "two"}])
    assert not run_for(order, now=clock.now())
    assert (order.alert, RuleFiring.objects.count()) == ("one", 1)


@pytest.mark.parametrize("status", ["awaiting_payment", "shipped", "cancelled", "pending_fulfillment"])
def test_r42_only_orders_that_wait_to_be_sent_or_are_on_hold(noon, status):
    make_rule(ALWAYS, ("alert", "x"))
    order = make_order(status=status)
    assert not run_for(order, now=clock.now())
    assert (order.rules_ran_at, order.alert) == (None, "")


def test_every_action_does_what_it_says(noon):
    user, tag, old = make_user("Support"), Tag.objects.create(name="gift"), Tag.objects.create(name="old")
    account = make_account()
    store = make_store("US", account=account, custom_fields_enabled=True, custom_field_2="order_number")
    other = make_store("CA", account=account)
    MarketplaceStatus.objects.create(store=store, name="To check", status="on_hold")
    order = make_order(store)
    order.tags.add(old)
    make_rule(
        ALWAYS, ("tag", [tag.pk]), ("untag", [old.pk]), ("assign", user.pk), ("note", "Check the box."),
        ("alert", "Look"), ("hold", "stock"), ("hold_days", 2), ("own_status", "to check"), ("carrier", "ups"),
        ("service", "Ground"), ("package", "Box 3"), ("size", [300, 200, 100]), ("weight", 1200),
        ("confirmation", "signature"), ("ship_from", other.pk), ("no_notice", None), ("custom_1", "urgent"),
        ("custom_2", "not ours"),
    )  # fmt: skip
    enter(order)
    assert (order.status, order.hold_reason, order.hold_until) == ("on_hold", "Out of stock", noon + timedelta(days=2))
    assert [each.name for each in order.tags.all()] == ["gift"]
    assert (order.assigned_to, order.alert, order.own_status.name) == (user, "Look", "To check")
    assert (order.weight_g, order.custom_field_1, order.custom_field_2) == (1200, "urgent", "")
    assert order.wishes == {
        "carrier": "ups", "service": "Ground", "package": "Box 3", "size_mm": [300, 200, 100],
        "confirmation": "signature", "ship_from": other.pk, "no_notice": True,
    }  # fmt: skip
    note = order.notes.get()
    assert (note.text, note.author) == ("Check the box.", None)
    assert sorted(order.events.values_list("kind", flat=True)) == ["alert", "held", "rules"]
    assert trace(order)[0]["did"][-1] == "custom_2:not_here"


@pytest.mark.parametrize(
    ("action", "value", "until"),
    [
        ("hold_hours", 6, "2026-11-20 18:00"),
        ("hold_days", 3, "2026-11-23 12:00"),
        ("hold_weekday", "mon", "2026-11-23 08:00"),  # the day begins at midnight in Los Angeles
        ("hold_weekday", "fri", "2026-11-27 08:00"),  # never today
        ("hold_before_deadline", 12, "2026-11-22 00:00"),
    ],
)
def test_a_hold_ends_when_it_says(noon, action, value, until):
    make_rule(ALWAYS, (action, value))
    order = enter(make_order(ship_by=noon + timedelta(days=2)))
    assert order.status == "on_hold"
    assert f"{order.hold_until:%Y-%m-%d %H:%M}" == until


def test_a_hold_whose_end_is_past_or_unknown_holds_nothing(noon):
    make_rule(ALWAYS, ("hold_before_deadline", 12))
    store = make_store()
    for ship_by in (noon + timedelta(hours=11), None):
        order = enter(make_order(store, ship_by=ship_by))
        assert (order.status, order.hold_until) == ("awaiting_shipment", None)
        assert trace(order)[0]["did"] == ["hold_before_deadline:too_late"]


def test_a_hold_that_was_there_stays_as_it_is(noon):
    make_rule(ALWAYS, ("hold", "stock"), ("hold_days", 1))
    order = enter(make_order(status="on_hold", hold_reason="Payment to be checked"))
    assert (order.hold_reason, order.hold_until) == ("Payment to be checked", None)
    assert trace(order)[0]["did"] == ["hold:held", "hold_days:held"]


def test_what_is_gone_is_left_out_and_the_rest_is_done(noon):
    gone = make_user("Support", is_active=False)
    elsewhere = make_store("FR", account=make_account(scenarios.EU))
    make_rule(
        ALWAYS, ("tag", [999]), ("assign", gone.pk), ("assign", 998), ("hold", "no such reason"),
        ("own_status", "nowhere"), ("ship_from", elsewhere.pk), ("alert", "done"),
    )  # fmt: skip
    order = enter(make_order())
    assert (order.alert, order.assigned_to, order.status, order.wishes) == ("done", None, "awaiting_shipment", {})
    assert trace(order)[0]["did"] == [
        "tag:gone", "assign:gone", "assign:gone", "hold:gone", "own_status:not_here", "ship_from:not_here", "alert",
    ]  # fmt: skip


BAD = [
    ({"x": 1}, []),
    ([{"criteria": []}], []),
    ([{"lines": "", "criteria": [{"fact": "buyer_name", "test": "is", "value": "Ada"}]}], []),
    ([{"lines": "", "criteria": [{"fact": "sku", "test": "is", "value": "A"}]}], []),
    (about("country", "is", 7), []),
    (about("order_total", "at_least", "100"), []),
    (about("order_total", "at_least", {"amount": "NaN", "currency": "EUR"}), []),
    (about("units", "between", [3, 1]), []),
    (about("gift", "is", "x"), []),
    (ALWAYS, "nonsense"),
    (ALWAYS, [{"do": "delete_everything"}]),
    (ALWAYS, [{"do": "alert", "value": "x" * 121}]),
    (ALWAYS, [{"do": "size", "value": [1, 2]}]),
    (ALWAYS, [{"do": "hold_hours", "value": 10**9}]),
    (None, None),
]


@pytest.mark.parametrize(("criteria", "actions"), BAD)
def test_f41_a_bad_rule_is_noted_and_the_others_go_on(noon, criteria, actions):
    bad = AutomationRule(name="bad", position=0, active=True, criteria=[], actions=[])
    bad.criteria, bad.actions = criteria, actions
    good = AutomationRule(pk=2, name="good", position=1, criteria=ALWAYS, actions=[{"do": "alert", "value": "on"}])
    bad.pk = 1
    order = make_order()
    ruler = ruling.Ruler([order.store], rules=[bad, good])
    outcome = ruler.run(subjects(Order.objects.all(), orders=[order]), now=noon)
    assert (order.alert, list(ruler.broken)) == ("on", [1])
    assert outcome.firings[0].trace[0]["why"] == {"code": "broken"}


def test_f41_a_rule_that_raises_while_it_runs_undoes_what_it_did(noon, monkeypatch):
    rule = make_rule(ALWAYS, ("alert", "half"), ("weight", 5))
    other = make_rule(ALWAYS, ("package", "Box"))

    def broken(_case):
        raise ZeroDivisionError("a value that must not be kept")

    order = make_order()
    ruler = ruling.Ruler([order.store])
    first = ruler.rules[0]
    ruler.rules[0] = engine.Rule(first.id, first.name, first.groups, (*first.deeds, ("boom", broken)))
    ruler.run(subjects(Order.objects.all(), orders=[order]), now=noon)
    ruler.note_broken()
    rule.refresh_from_db()
    other.refresh_from_db()
    assert (order.alert, order.weight_g, order.wishes) == ("", None, {"package": "Box"})
    assert (rule.broken_code, rule.broken_at, other.broken_at) == ("ZeroDivisionError", noon, None)


def test_a_run_asks_the_database_nothing(noon):
    tag = Tag.objects.create(name="x")
    make_rule([*ALWAYS, *about("short", "no", lines="any")], ("tag", [tag.pk]))
    make_rule([*ALWAYS, *about("not_roman", "no"), *about("location", "empty", lines="all")], ("hold", "check"))
    store = make_store()
    for _order in range(5):
        make_order(store, lines=3)
    entering = subjects(Order.objects.select_related("store").all())
    ruler = ruling.Ruler(Store.objects.all())
    with CaptureQueriesContext(connection) as seen:
        outcome = ruler.run(entering, now=noon)
    assert len(seen) == 0
    assert (len(outcome.firings), ruler.broken) == (5, {})


def test_building_and_loading_cost_the_same_few_queries(noon):
    def cost() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as building:
            ruling.Ruler(Store.objects.all())
        with CaptureQueriesContext(connection) as loading:
            subjects(Order.objects.all())
        return len(building), len(loading)

    make_rule()
    store = make_order(lines=2).store
    few = cost()
    for _n in range(6):
        make_rule()
        make_order(store, lines=2).tags.add(Tag.objects.create(name=f"t{_n}"))
    assert cost() == few
    assert few[0] <= 6 and few[1] <= 6


def test_no_fact_is_personal():
    """Neither by name nor by what it reads: a person of ours holds these and the rules see none of them."""
    read = []

    class Person:
        def __getattr__(self, name):
            read.append(name)
            return "x"

    store = Store(marketplace="US", time_zone="UTC")
    order = Order(status="awaiting_shipment", ordered_at=clock.now(), ship_by=clock.now())
    case = engine.Case(order, Person(), [], {}, store, None, clock.now(), set(), lambda: False)
    for fact in FACTS.values():
        if not fact.of_line:
            fact.get(case)
    assert set(read) == {"city", "state", "postal_code", "country"}


def test_a_criterion_needs_a_value_that_makes_sense():
    with pytest.raises(Invalid):
        compiled({"fact": "country", "test": "is", "value": "  "})
