"""Orders entered by hand (F14, R20, P24): what they become, when they are erased, and that a correction loses nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connections

from orderhub import clock
from orderhub.errors import RuleViolation
from orders import correcting
from orders.models import AutomationRule, Customer, Order, OrderEvent, OrderItem, OrderPersonalData, Product
from shipments.models import Label, ShipmentNotification
from tests.end_to_end.killing import died_at
from tests.factories import make_shipment, make_store, make_user
from tests.orders.entries import LINE, an_entry, enter, make_manual_store

pytestmark = pytest.mark.django_db
FORTNIGHT = timedelta(days=14)


def test_p24_an_order_is_there_whole_with_its_sums_weight_product_customer_and_event(noon):
    user = make_user("Support")
    entry = an_entry(person={"buyer_name": "Zoé", "buyer_email": "zoe@example.com", "gift_message": "Bravo"})
    (order,) = enter(make_manual_store(), entry, by=user)
    order.refresh_from_db()
    assert (order.status, order.fulfilled_by, order.first_imported_at) == ("awaiting_shipment", "MFN", noon)
    assert (order.item_total, order.tax_total, order.discount_total) == (Decimal("19.90"), Decimal("1.5"), Decimal("2"))
    assert (order.order_total, order.weight_g, order.is_gift) == (Decimal("24.30"), 600, True)
    assert (order.pii_state, order.person.recipient_name) == ("present", "Zoé Martin")
    item = order.items.get()
    assert (item.product.key, item.product.title, item.options) == ("MUG-1", "Mug", LINE["options"])
    assert order.customer.merchant_id == order.store.merchant_id and order.customer.name == "Zoé"
    event = order.events.get(kind=OrderEvent.Kind.ENTERED)
    assert (event.actor, event.params) == (user, {"status": "awaiting_shipment"})


@pytest.mark.parametrize(
    ("platform", "email", "origin"),
    [
        ("handmade", "", "amazon"),
        ("handmade", "zoe@example.com", "amazon"),
        ("manual", "", "manual"),
        ("manual", "zoe@example.com", "manual"),
        ("manual", "abc@marketplace.amazon.fr", "amazon"),
        ("manual", "ABC@MARKETPLACE.AMAZON.CO.UK", "amazon"),
        ("manual", "abc@marketplace.amazon.fr.evil.example", "manual"),
    ],
)
def test_a10_handmade_and_relay_addresses_count_as_amazons(noon, platform, email, origin):
    (order,) = enter(make_manual_store(platform), an_entry(person={"buyer_email": email}))
    order.refresh_from_db()
    due = (noon + FORTNIGHT, "import") if origin == "amazon" else (None, "")
    assert (order.origin_marketplace, (order.redaction_due_at, order.redaction_rule)) == (origin, due)


def test_a_number_is_given_where_none_is_typed_and_two_never_get_the_same(noon):
    store = make_manual_store()
    enter(store, an_entry("M261120-2"))
    numbers = [order.order_number for order in enter(store, an_entry(""), an_entry(""), an_entry("M261120-3"))]
    numbers += [order.order_number for order in enter(store, an_entry(""))]
    assert len({*numbers}) == 4 and all(number.startswith("M261120-") for number in numbers)


def test_a_number_is_there_once_a_store_but_may_be_in_another(noon):
    store = make_manual_store()
    enter(store)
    with pytest.raises(RuleViolation, match="already has an order A-1"):
        enter(store, an_entry("B-1"), an_entry("A-1"))
    assert [order.order_number for order in Order.objects.all()] == ["A-1"]
    enter(make_manual_store())
    assert Order.objects.count() == 2


def test_orders_of_a_marketplace_and_of_an_inactive_store_cannot_be_entered(noon):
    for store, told in ((make_store(), "come from its marketplace"), (make_manual_store(active=False), "inactive")):
        with pytest.raises(RuleViolation, match=told):
            enter(store)
    assert not Order.objects.exists()


def test_sums_beyond_any_column_are_refused_with_a_sentence(noon):
    with pytest.raises(RuleViolation, match="too large"):
        enter(None, an_entry(lines=[LINE | {"quantity": 100_000, "unit_price": Decimal("9e12")}]))


def test_r42_rules_run_once_on_an_order_that_enters_and_not_on_one_that_waits_for_payment(noon):
    store = make_manual_store()
    paid, unpaid = enter(store, an_entry("A"), an_entry("B", status="awaiting_payment"))
    paid.refresh_from_db()
    unpaid.refresh_from_db()
    assert (paid.rules_ran_at, paid.paid_at) == (noon, paid.ordered_at)
    assert (unpaid.rules_ran_at, unpaid.paid_at) == (None, None)
    correcting.correct(unpaid, an_entry("B"), as_seen=correcting.seen(unpaid), by=make_user("Support"), now=clock.now())
    assert (unpaid.status, unpaid.rules_ran_at, unpaid.paid_at) == ("awaiting_shipment", noon, noon)


def test_r42_a_rule_may_hold_an_order_that_is_entered_and_its_run_is_kept(noon):
    rule = AutomationRule.objects.create(
        name="By hand", active=True, actions=[{"do": "hold", "value": "check"}],
        criteria=[{"lines": "", "criteria": [{"fact": "source", "test": "one_of", "value": ["hand"]}]}],
    )  # fmt: skip
    (order,) = enter()
    order.refresh_from_db()
    rule.refresh_from_db()
    assert rule.broken_code == ""
    assert (order.status, order.hold_reason) == ("on_hold", "To be checked")
    assert order.firing.trace[0]["fired"] is True


def test_entering_a_hundred_takes_as_many_statements_as_entering_one(noon, django_assert_max_num_queries):
    store, counts = make_manual_store(), []
    for size in (1, 40):
        entries = [an_entry(f"{size}-{each}", person={"buyer_email": f"z{each}@example.com"}) for each in range(size)]
        with django_assert_max_num_queries(40) as seen:
            enter(store, *entries)
        counts.append(len(seen))
    on_postgres = connections["default"].vendor == "postgresql"
    assert counts[1] <= counts[0] + (0 if on_postgres else 12)  # SQLite splits statements at 999 parameters


# -- sending


@pytest.mark.parametrize("platform", ["manual", "handmade"])
def test_an_order_entered_here_is_sent_with_a_label_and_no_marketplace_is_told(noon, platform):
    (order,) = enter(make_manual_store(platform))
    make_shipment(order)
    order.refresh_from_db()
    assert order.status == "shipped"
    assert not ShipmentNotification.objects.exists()
    assert Label.objects.get().file.storage.exists(Label.objects.get().file.name)
    assert (order.redaction_due_at is not None) == (platform == "handmade")
    shown = correcting.panel_for(make_user("Support"), order)
    assert (shown.tell_by_hand, shown.may_correct) == (platform == "handmade", True)
    assert "already shipped" in shown.refusal


def test_an_order_from_a_file_without_a_recipient_gets_no_label_but_may_be_sent_without_one(noon):
    entry = an_entry()
    entry.person = {"city": "Lyon", "country": "FR"}
    (order,) = enter(None, entry)
    with pytest.raises(RuleViolation, match="has no recipient"):
        make_shipment(order)
    order.refresh_from_db()
    assert (order.status, Label.objects.count()) == ("awaiting_shipment", 0)
    make_shipment(order, with_label=False)
    assert (order.status, Label.objects.count()) == ("shipped", 0)


# -- correcting


def test_a_correction_changes_what_was_typed_and_keeps_the_erasure_clock(noon):
    (order,) = enter(make_manual_store("handmade"))
    clock.advance(days=3)
    item = order.items.get()
    lines = [
        LINE | {"item": item.pk, "quantity": 5, "sku": "MUG-2"},
        LINE | {"sku": "SPOON", "weight_g": None, "options": []},
    ]
    entry = an_entry("A-2", person={"city": "Paris", "buyer_email": "new@example.com"}, lines=lines)
    correcting.correct(order, entry, as_seen=correcting.seen(order), by=make_user("Support"), now=clock.now())
    kept = Order.objects.get()
    assert (kept.order_number, kept.person.city, kept.redaction_due_at) == ("A-2", "Paris", noon + FORTNIGHT)
    assert list(kept.items.values_list("pk", "sku", "quantity", "amazon_item_id", "product__key")) == [
        (item.pk, "MUG-2", 5, "1", "MUG-2"), (item.pk + 1, "SPOON", 2, "2", "SPOON"),
    ]  # fmt: skip
    assert (kept.weight_g, kept.item_total) == (None, Decimal("69.65"))
    assert kept.events.first().params == {"status": "awaiting_shipment", "code": "Corrected"}


@pytest.mark.parametrize(("others", "left"), [(0, 0), (1, 1)])
def test_r103_a_customer_of_a_mistyped_address_does_not_stay_behind(noon, others, left):
    store, typo = make_manual_store("handmade"), {"buyer_name": "Zoé", "buyer_email": "typo@example.com"}
    order, *_more = enter(store, *(an_entry(f"A-{number}", person=typo) for number in range(1 + others)))
    order.refresh_from_db()
    before, entry = order.customer_id, an_entry("A-0", person=typo | {"buyer_email": "zoe@example.com"})
    correcting.correct(order, entry, as_seen=correcting.seen(order), by=make_user("Support"), now=clock.now())
    assert order.customer_id not in {before, None}
    assert Customer.objects.filter(pk=before).count() == left


def test_a_relay_address_makes_an_order_amazons_and_nothing_takes_that_back(noon):
    (order,) = enter()
    for email, origin in (("x@marketplace.amazon.fr", "amazon"), ("zoe@example.com", "amazon")):
        entry = an_entry(person={"buyer_email": email})
        correcting.correct(order, entry, as_seen=correcting.seen(order), by=make_user("Support"), now=clock.now())
        assert (order.origin_marketplace, order.redaction_due_at) == (origin, noon + FORTNIGHT)


def _erased(order):
    Order.objects.filter(pk=order.pk).update(pii_state="redacting")


def _latched(order):
    OrderPersonalData.objects.filter(pk=order.pk).update(
        marker="EXPURGÉ (Amazon)",
        **dict.fromkeys(("recipient_name", "street1", "phone", "buyer_email", "buyer_name"), ""),
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (make_shipment, "already shipped"),
        (_erased, "was erased"),
        (_latched, "was erased"),
        (lambda order: OrderEvent.objects.create(order=order, kind="noted"), "Somebody changed this order meanwhile"),
        (lambda order: enter(order.store, an_entry("TAKEN")), "already has an order TAKEN"),
    ],
)
def test_what_was_sent_erased_or_changed_meanwhile_is_not_corrected(noon, change, told):
    (order,) = enter(make_manual_store("handmade"))
    seen = correcting.seen(order)
    change(order)
    before = OrderPersonalData.objects.values().get(pk=order.pk), list(OrderItem.objects.values())
    entry = an_entry("TAKEN", person={"recipient_name": "Somebody Else"})
    with pytest.raises(RuleViolation, match=told):
        correcting.correct(order, entry, as_seen=seen, by=make_user("Support"), now=clock.now())
    assert (OrderPersonalData.objects.values().get(pk=order.pk), list(OrderItem.objects.values())) == before


def test_an_order_of_amazon_is_not_corrected_here(noon):
    from tests.factories import make_order

    order = make_order()
    with pytest.raises(RuleViolation, match="comes from its marketplace"):
        correcting.correct(order, an_entry(), as_seen=0, by=make_user("Support"), now=clock.now())
    assert correcting.panel_for(make_user("Support"), order) is None


def test_a_line_of_another_order_is_never_taken_over(noon):
    store = make_manual_store()
    first, second = enter(store, an_entry("A"), an_entry("B"))
    entry = an_entry("B", lines=[LINE | {"item": first.items.get().pk, "sku": "STOLEN"}])
    correcting.correct(second, entry, as_seen=correcting.seen(second), by=make_user("Support"), now=clock.now())
    assert first.items.get().sku == "MUG-1" and second.items.get().sku == "STOLEN"


@pytest.mark.django_db(transaction=True)
def test_b07_a_process_that_dies_in_the_middle_leaves_nothing(noon):
    store = make_manual_store()
    entries = [an_entry(f"A-{each}") for each in range(600)]
    assert died_at("enter.inside", lambda: enter(store, *entries))
    assert died_at("enter.inside", lambda: enter(store, *entries), visit=2)
    assert not any(model.objects.exists() for model in (Order, OrderItem, OrderPersonalData, OrderEvent, Product))
