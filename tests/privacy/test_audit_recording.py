"""What is recorded: who did it, to which ids, with which code; and nothing of what was written or read."""

import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from orders.csvfile import writing
from orders.models import Order
from privacy import audit_keeping
from privacy.models import SecurityEvent
from privacy.models.event import EventCode
from shipments import merging
from shipments.models import ShipmentNotification
from stores import features
from stores.models import FeatureGrant
from stores.simulator import scenarios
from tests.factories import PERSON, make_order, make_shipment, make_store, make_user
from tests.privacy import rows

pytestmark = pytest.mark.django_db


def told(code: str) -> SecurityEvent:
    return SecurityEvent.objects.get(code=code)


def in_words() -> str:
    """Everything that is in the log."""
    return json.dumps(list(SecurityEvent.objects.values()), default=str, ensure_ascii=False)


def test_an_opened_label_is_recorded_with_its_request(client, noon):
    label = make_shipment().labels.get()
    client.force_login(user := make_user("Warehouse"))
    client.get(reverse("admin:shipments_label", args=[label.pk]))
    event = told(EventCode.LABEL_OPENED)
    assert (event.user, event.roles, event.kind, event.ids) == (user, "Warehouse", "label", [label.pk])


def test_many_labels_are_one_event(noon):
    store = make_store()
    labels = [make_shipment(make_order(store)).labels.get() for _number in range(3)]
    merging.labels_pdf(labels, by=make_user("Warehouse"), now=noon)
    assert told(EventCode.LABEL_OPENED).ids == [label.pk for label in labels]


def test_an_export_is_recorded_with_its_size_and_a_digest_of_its_filter(noon):
    store = make_store()
    order = make_order(store, person={"buyer_name": "Zqname Zqcanary"})
    user = make_user("Support")
    for wanted in (Order.objects.all(), Order.objects.filter(order_number=order.order_number), Order.objects.none()):
        writing.export(wanted, user=user)
    events = list(SecurityEvent.objects.filter(code=EventCode.EXPORTED).order_by("pk"))
    assert [event.ids for event in events] == [[1], [1], [0]]
    assert len({event.reason for event in events}) == 3
    assert order.order_number not in in_words()


@pytest.mark.parametrize("enabled", [True, False])
def test_a_feature_grant_is_recorded_without_the_reason_somebody_typed(enabled):
    store = make_store()
    by = make_user("Customer success")
    features.grant(store, FeatureGrant.Feature.CUSTOM_FIELDS, by=by, reason="Zqcanary asked", enabled=enabled)
    event = told(EventCode.FEATURE_GRANTED)
    assert (event.user, event.ids, event.reason) == (by, [store.pk], f"custom_fields {'on' if enabled else 'off'}")
    assert "Zqcanary" not in in_words()


def test_a_notice_settled_by_hand_is_recorded(client, noon):
    notice = ShipmentNotification.objects.get(shipment=make_shipment())
    client.force_login(user := make_user("Support"))
    reason = ShipmentNotification.DoneReason.values[0]
    client.post(reverse("admin:shipments_done", args=[notice.pk]), {"reason": reason})
    event = told(EventCode.NOTICE_BY_HAND)
    assert (event.user, event.kind, event.ids, event.reason) == (user, "notice", [notice.pk], reason)


def test_a_sweep_is_one_event_with_counts_and_an_idle_one_none(noon):
    for _number in range(3):
        rows.due_order()
    rows.sweep()
    rows.sweep()
    event = told(EventCode.ERASED)
    assert (event.actor, event.kind, event.ids, event.user) == ("privacy.redact_due", "orders, files", [3, 0], None)
    assert not any(str(value) in in_words() for value in PERSON.values() if len(value) > 2)


def test_the_command_that_erases_is_recorded_under_its_own_name(noon):
    rows.due_order()
    call_command("redact_due")
    assert told(EventCode.ERASED).actor == "manage.py redact_due"


def test_a_refusal_is_recorded_once_with_the_route_only(client, noon):
    order = make_order(person={"buyer_name": "Zqcanary"})
    client.force_login(user := make_user("Warehouse"))
    assert client.get("/admin/privacy/accesslog/?q=Zqcanary").status_code == 403
    event = told(EventCode.REFUSED)
    assert (event.user, event.outcome, event.ids) == (user, "refused", [])
    assert event.reason == "admin:privacy_accesslog_changelist" and len(event.request_id) == 16
    assert event.address == "127.0.0.1" and "Zqcanary" not in in_words() and order.order_number not in in_words()


def test_a_forged_form_is_recorded_and_visitors_fill_no_log(noon):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    assert client.post("/admin/login/", {"username": "x"}).status_code == 403
    assert not SecurityEvent.objects.exists()
    client.force_login(make_user("Support"))
    client.post("/language/", {"language": "fr"})
    assert told(EventCode.REFUSED).reason == "csrf set_language"


def test_periods_are_recorded_at_the_first_start_and_when_they_change(settings):
    assert [audit_keeping.tell_settings(actor="start") for _time in range(2)] == [True, False]
    settings.RETENTION_SHIPPED_DAYS = 20
    assert audit_keeping.tell_settings(actor="start")
    assert not audit_keeping.tell_settings(actor="start")
    events = SecurityEvent.objects.filter(code=EventCode.RETENTION_CHANGED).order_by("pk")
    assert [event.ids for event in events] == [[14, 30, 44, 12], [14, 20, 44, 12]]


def test_a_store_added_and_changed_by_hand_is_recorded(client, noon):
    client.force_login(user := make_user("Customer success"))
    page = reverse("admin:stores_store_add_manual")
    client.post(
        page,
        {"name": "Zqcanary shop", "kind": "manual", "new_merchant": "Zq", "merchant": "", "time_zone": "Europe/Paris"},
    )
    store = make_store()
    client.post(
        reverse("admin:stores_store_grant", args=[store.pk]),
        {"feature": "custom_fields", "enabled": "on", "reason": "Zq"},
    )
    assert told(EventCode.FEATURE_GRANTED).user == user
    assert told(EventCode.STORE_CHANGED).ids == [store.pk]
    assert "Zqcanary" not in in_words()


def test_the_command_that_connects_is_recorded(world):
    seller = scenarios.NA
    call_command(
        "connect_account", region=seller.region, seller_id=seller.seller_id, token=seller.refresh_token, sources="US"
    )
    event = told(EventCode.STORE_CONNECTED)
    assert (event.actor, event.kind) == ("manage.py connect_account", "amazonaccount")
    assert seller.refresh_token not in in_words()
