"""Custom fields: three, seven sources, and who may map them (R15, R31 to R33)."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub.errors import RuleViolation
from orders.models import Order, OrderPersonalData
from privacy import access, erasure, markers
from privacy.models import AccessLog
from stores import customfields, features
from stores.models import CustomFieldSource, FeatureGrant, Store
from tests.factories import make_order, make_store, make_user

pytestmark = pytest.mark.django_db
Source = CustomFieldSource
PO = "PO-4711"


@pytest.fixture
def store(noon) -> Store:
    return enabled(make_store())


def enabled(store: Store, yes: bool = True) -> Store:
    given = {"by": make_user("Customer success"), "reason": "test", "enabled": yes}
    features.grant(store, FeatureGrant.Feature.CUSTOM_FIELDS, **given)
    return store


def kept(store: Store) -> tuple[str, ...]:
    return Store.objects.get(pk=store.pk).mapping


# -- mapping


@pytest.mark.parametrize("role", ["Support", "Customer success"])
def test_r31_up_to_three_fields_are_mapped_by_support_and_customer_success(store, role):
    user = make_user(role)
    customfields.map_fields(store, [Source.ORDER_NUMBER, Source.BUSINESS_ORDER, Source.SERVICE_LEVEL], by=user)
    assert kept(store) == store.mapping == ("order_number", "business_order", "service_level")
    customfields.map_fields(store, ["", Source.EARLIEST_SHIP_DATE], by=user)
    assert kept(store) == ("", "earliest_ship_date", "")
    customfields.map_fields(store, [], by=user)
    assert kept(store) == ("", "", "")


def test_r31_a_fourth_field_is_rejected(store):
    with pytest.raises(RuleViolation, match="1, 2 and 3"):
        customfields.map_fields(store, [Source.ORDER_NUMBER] * 4, by=make_user("Support"))
    assert kept(store) == ("", "", "")


@pytest.mark.parametrize("source", ["buyer_name", "recipient_name", "ORDER_NUMBER", " order_number", "order number"])
def test_r32_anything_but_the_seven_sources_is_rejected_naming_them(store, source):
    with pytest.raises(RuleViolation) as refused:
        customfields.map_fields(store, [Source.ORDER_NUMBER, source], by=make_user("Support"))
    assert len(Source.values) == 7
    assert [label for label in Source.labels if str(label) not in str(refused.value)] == []
    assert kept(store) == ("", "", "")


def test_a18_two_fields_may_share_a_source(store):
    customfields.map_fields(store, [Source.ORDER_NUMBER] * 3, by=make_user("Support"))
    assert kept(store) == ("order_number",) * 3


@pytest.mark.parametrize(
    "given", [{"is_superuser": True}, {"roles": ["Administrator"]}, {"roles": ["Warehouse"]}, {"roles": ["Privacy officer"]}, {"roles": ["Support"], "is_active": False}]
)  # fmt: skip
def test_r15_nobody_else_maps_not_even_a_superuser(store, given):
    user = make_user(*given.pop("roles", []), **given)
    with pytest.raises(RuleViolation, match="Only support and customer success"):
        customfields.map_fields(store, [Source.ORDER_NUMBER], by=user)
    assert kept(store) == ("", "", "")


def test_r15_nothing_is_mapped_before_customer_success_enabled_it(noon):
    store = make_store()
    with pytest.raises(RuleViolation, match="not enabled for this store"):
        customfields.map_fields(store, [Source.ORDER_NUMBER], by=make_user("Customer success"))
    assert kept(store) == ("", "", "")


def test_what_the_database_says_of_the_grant_counts_not_the_store_in_hand(store):
    stale = Store.objects.get(pk=store.pk)
    enabled(store, False)
    with pytest.raises(RuleViolation, match="not enabled"):
        customfields.map_fields(stale, [Source.ORDER_NUMBER], by=make_user("Support"))


def test_disabling_forgets_the_mapping_and_enabling_does_not_bring_it_back(store):
    customfields.map_fields(store, [Source.ORDER_NUMBER], by=make_user("Support"))
    enabled(store, False)
    assert kept(store) == ("", "", "")
    enabled(store)
    assert kept(store) == ("", "", "")


# -- values


LATE = datetime(2026, 11, 21, 7, 59, tzinfo=UTC)  # still the 20th in Los Angeles


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("seller_order_id", "S-1"),
        ("order_number", "111-1"),
        ("purchase_order_number", PO),
        ("earliest_ship_date", "2026-11-20"),
        ("latest_delivery_date", "2026-11-21"),
        ("business_order", "true"),
        ("service_level", "Second Day"),
        ("", ""),
        ("unheard_of", ""),
    ],
)
def test_r32_each_source_gives_its_value_days_in_the_stores_own_zone(source, expected):
    order = Order(
        store=Store(time_zone="America/Los_Angeles"), order_number="111-1", seller_order_id="S-1", is_business=True,
        earliest_ship_at=LATE, deliver_by=LATE.replace(hour=8), service_level="SECOND_DAY",
    )  # fmt: skip
    assert customfields.value(source, order, PO) == expected


def test_what_an_order_does_not_have_is_empty_and_no_business_order_says_so():
    order = Order(store=Store(time_zone="UTC"), service_level="TELEPORTED")
    found = {source: customfields.value(source, order, "") for source in Source.values}
    assert found == dict.fromkeys(Source.values, "") | {"business_order": "false"}


def test_r33_service_levels_are_the_exact_words_in_every_language(french):
    words = {customfields.value("service_level", Order(service_level=code), "") for code in Order.ServiceLevel.values}
    assert words == {
        "Expedited", "Free Economy", "Next Day", "Same Day", "Second Day", "Scheduled", "Standard", "Priority",
    }  # fmt: skip


@pytest.fixture
def french():
    from django.utils import translation

    with translation.override("fr"):
        yield


# -- preview


def business(store: Store, **given) -> Order:
    return make_order(store, person={"purchase_order_number": PO}, **given)


def shown(store: Store, role: str) -> list[str]:
    user = make_user(role)
    return [row.cells[0] for row in customfields.preview(store, (Source.PURCHASE_ORDER_NUMBER, "", ""), user)]


@pytest.mark.parametrize(
    ("role", "cells"),
    [
        ("Support", [PO, PO]), ("Warehouse", ["hidden", PO]), ("Customer success", ["hidden", "hidden"]),
        ("Administrator", ["hidden", "hidden"]), ("Privacy officer", ["hidden", "hidden"]),
    ],
)  # fmt: skip
def test_a_purchase_order_number_is_shown_to_whom_may_see_the_person_and_each_view_is_logged(store, role, cells):
    open_order, closed = business(store), business(store, status="cancelled")
    assert shown(store, role) == cells
    seen = [order.pk for order, cell in ((closed, cells[0]), (open_order, cells[1])) if cell == PO]
    assert list(AccessLog.objects.order_by("order_id").values_list("order_id", "what")) == [
        (pk, "custom field preview") for pk in sorted(seen)
    ]


def test_a_superuser_sees_no_purchase_order_number(store):
    business(store)
    rows = customfields.preview(store, (Source.PURCHASE_ORDER_NUMBER, "", ""), make_user(is_superuser=True))
    assert rows[0].cells[0] == "hidden" and not AccessLog.objects.exists()


def test_erased_and_half_erased_orders_show_the_marker_and_log_nothing(store, noon):
    business(store, redaction_due_at=noon)
    erasure.redact_due(now=noon)
    halfway = business(store)
    Order.objects.filter(pk=halfway.pk).update(pii_state=Order.PiiState.REDACTING)
    assert OrderPersonalData.objects.get(order=halfway).purchase_order_number == PO
    assert shown(store, "Support") == [f"« {markers.AMAZON} »"] * 2
    assert not AccessLog.objects.exists()


def test_orders_without_a_number_are_empty_and_log_nothing(store):
    make_order(store)
    make_order(store, fulfilled_by="AFN")
    assert shown(store, "Support") == ["", ""]
    assert not AccessLog.objects.exists()


def test_the_person_is_not_even_asked_for_where_no_personal_source_is_mapped(store):
    business(store)
    rows = customfields.preview(store, (Source.ORDER_NUMBER, Source.BUSINESS_ORDER, ""), make_user("Support"))
    assert rows[0].cells == [rows[0].order_number, "false", ""]
    assert not AccessLog.objects.exists()


def test_the_preview_shows_ten_orders_of_this_store_newest_first_and_costs_the_same_for_one(store, noon):
    sources, user = (
        (Source.PURCHASE_ORDER_NUMBER, Source.ORDER_NUMBER, Source.LATEST_DELIVERY_DATE),
        make_user("Support"),
    )
    business(make_store("CA", account=store.account))
    costs = []
    for count in (1, 14):
        for hour in range(count):
            business(store, ordered_at=noon.replace(hour=hour % 12, minute=count))
        user = type(user).objects.get(pk=user.pk)  # no rights remembered
        with CaptureQueriesContext(connection) as caught:
            rows = customfields.preview(store, sources, user)
        costs.append(len(caught))
    assert costs[0] == costs[1] <= 4
    newest = store.orders.order_by("-ordered_at", "-pk").values_list("pk", flat=True)[:10]
    assert [row.order_id for row in rows] == list(newest)


def test_no_value_reaches_a_traceback(store):
    business(store)
    rows = customfields.preview(store, (Source.PURCHASE_ORDER_NUMBER, "", ""), make_user("Support"))
    assert PO not in repr(rows)


def test_the_right_belongs_to_support_and_customer_success():
    holding = [role for role, rights in access.ROLES.items() if customfields.RIGHT in rights]
    assert holding == [access.SUPPORT, access.SUCCESS]
