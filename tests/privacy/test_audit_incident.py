"""An incident's report: correct to the order, quick, and without anything of a person."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from privacy import access, audit
from privacy.models.event import EventCode
from tests.factories import PERSON, make_order, make_store, make_user

pytestmark = pytest.mark.django_db


def told(**given) -> dict:
    out = io.StringIO()
    call_command("incident", json=True, stdout=out, **given)
    return json.loads(out.getvalue())


@pytest.fixture
def window(noon) -> dict:
    return {"since": (noon - timedelta(hours=2)).isoformat(), "until": noon.isoformat()}


@pytest.fixture
def store():
    return make_store()


def test_d16_readable_is_what_was_here_then_and_not_erased(noon, window, store):
    hour = timedelta(hours=1)
    here = make_order(store, first_imported_at=noon - 5 * hour)
    came = make_order(store, first_imported_at=noon - hour)
    make_order(store, first_imported_at=noon + hour)  # after it
    gone = make_order(
        store, first_imported_at=noon - 50 * hour, pii_state=Order.PiiState.REDACTED, redacted_at=noon - 3 * hour
    )
    going = make_order(
        store, first_imported_at=noon - 50 * hour, pii_state=Order.PiiState.REDACTED, redacted_at=noon - hour
    )
    make_order(store, fulfilled_by=Order.FulfilledBy.AMAZON)  # never had any
    assert (
        told(**window)["readable"] == sorted([here.pk, came.pk, going.pk]) and gone.pk not in told(**window)["readable"]
    )


def test_d16_read_is_what_the_logs_say_of_this_user_and_window(noon, window, store, travel):
    orders = [make_order(store) for _number in range(3)]
    thief, other = make_user("Support", username="thief"), make_user("Support")
    travel(minutes=-30)
    access.log_view(thief, orders[0].pk, what="order page")
    access.log_view(thief, orders[0].pk, what="label")
    access.log_view(other, orders[1].pk, what="order page")
    audit.record(EventCode.EXPORTED, user=thief, kind="count", ids=[12])
    travel(hours=-5)
    access.log_view(thief, orders[2].pk, what="order page")
    travel(hours=5, minutes=30)
    found = told(user="thief", **window)
    assert (found["read"], found["people"], found["about"]) == ([orders[0].pk], [thief.pk], f"user {thief.pk}")
    assert found["ways"] == {"label": 1, "order page": 1} and found["exported_rows"] == 12
    assert len(found["readable"]) == 3
    assert told(**window)["read"] == sorted([orders[0].pk, orders[1].pk])


def test_d16_an_administrator_reaches_no_buyer_unless_the_role_was_another_one_then(noon, window, store, travel):
    make_order(store)
    user = make_user("Administrator", username="admin2")
    assert told(user="admin2", **window)["readable"] == []
    was = make_user("Support", username="moved")
    audit.record(EventCode.SIGNED_IN, user=was)
    was.groups.clear()
    assert len(told(user="moved", **window)["readable"]) == 1 and user


def test_d16_a_store_s_report_holds_its_own_orders_only(noon, window, store):
    theirs = make_order(make_store("CA", account=store.account))
    ours = make_order(store)
    for order in (theirs, ours):
        access.log_view(make_user("Support"), order.pk, what="label")
    found = told(store=store.pk, **window)
    assert (found["readable"], found["read"]) == ([ours.pk], [ours.pk])


def test_d16_the_day_to_tell_amazon_counts_down_and_the_contact_is_named(noon, window, settings):
    settings.INCIDENT_CONTACT = "privacy@shop.example"
    found = told(noticed_at=(noon - timedelta(hours=20)).isoformat(), **window)
    assert found["hours_left"] == 4.0 and found["contact"] == "privacy@shop.example"
    out = io.StringIO()
    call_command("incident", noticed_at=(noon - timedelta(hours=25)).isoformat(), stdout=out, **window)
    assert "1:00:00 too late" in out.getvalue() and "privacy@shop.example" in out.getvalue()


def test_d16_neither_form_of_the_report_holds_anything_of_a_person(noon, window, store):
    access.log_view(make_user("Support", username="zqstaff"), make_order(store).pk, what="order page")
    out = io.StringIO()
    call_command("incident", stdout=out, **window)
    text = out.getvalue() + json.dumps(told(**window))
    assert "order page: 1 times" in text
    assert not any(value in text for value in PERSON.values() if len(value) > 2) and "zqstaff" not in text


@pytest.mark.parametrize(
    "given", [{"since": "yesterday"}, {"since": "2026-13-01T00:00:00Z"}, {"user": "nobody"}, {"store": 99}, {"until": "2020-01-01T00:00:00Z"}]
)  # fmt: skip
def test_a_mistake_is_a_sentence(noon, window, given):
    with pytest.raises(CommandError):
        told(**window | given)


def test_d16_the_report_takes_the_same_few_queries_for_many_orders(noon, window, store):
    counts = []
    for more in (2, 30):
        user = make_user("Support")
        access.log_views(user, [make_order(store).pk for _number in range(more)], what="label")
        with CaptureQueriesContext(connection) as seen:
            told(**window)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 6
