"""Webhooks for administrators: state, log, test message, switch; no secrets."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orderhub import clock
from orderhub.webhooks import sending, subscribing
from orderhub.webhooks.models import Delivery, Endpoint
from privacy import access
from privacy.models import SecurityEvent
from tests.factories import make_order, make_user
from tests.webhooks.conftest import endpoint, key, receive, store, tell  # noqa: F401  fixtures
from tests.webhooks.test_feeding import line

pytestmark = pytest.mark.django_db
LIST = reverse("admin:webhooks_endpoint_changelist")


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_user(access.ADMINISTRATOR))
    return client


def page(there) -> str:
    return reverse("admin:webhooks_endpoint_change", args=[there.pk])


def test_list_and_page_say_host_state_and_what_was_sent_and_no_secret(admin, endpoint, store, receive):  # noqa: F811
    there = endpoint(receive(503), name="Partner")
    line(make_order(store))
    tell()
    listed, shown = (admin.get(url).content.decode() for url in (LIST, page(there)))
    for text in (listed, shown):
        assert there.url_shown in text and "1 failure in a row" in text
        assert "s3cret" not in text and there.secret not in text
    assert "503" in shown and str(Delivery.objects.get().event_id) in shown and "Partner" in listed


def test_the_test_message_says_what_the_receiver_answered(admin, endpoint, receive):  # noqa: F811
    there = endpoint(receive(200, 404))
    url = reverse("admin:webhooks_endpoint_test", args=[there.pk])
    assert "took the test message (200)" in admin.post(url, follow=True).content.decode()
    assert "did not take the test message: 404" in admin.post(url, follow=True).content.decode()


def test_it_is_switched_off_and_on_and_both_are_recorded(admin, endpoint):  # noqa: F811
    there = endpoint()
    url = reverse("admin:webhooks_endpoint_switch", args=[there.pk])
    assert "Switch on" in admin.post(url, {"active": "off"}, follow=True).content.decode()
    assert not Endpoint.objects.get().active
    admin.post(url, {"active": "on"})
    assert Endpoint.objects.get().active
    assert [row.reason for row in SecurityEvent.objects.filter(kind="webhook").order_by("pk")] == ["made", "off", "on"]


def test_the_start_page_says_which_client_is_not_told_any_more(admin, endpoint):  # noqa: F811
    there, paused = endpoint(name="Partner"), endpoint()
    sending.switch_off(there, Endpoint.Because.GONE, now=clock.now())
    Endpoint.objects.filter(pk=paused.pk).update(failures=6, failing_since=clock.now(), paused_until=clock.now())
    text = admin.get(reverse("admin:index")).content.decode()
    assert "Webhook Partner (http://127.0.0.1" in text and "answered 410" in text
    assert "1 webhook answers with failures only and is paused." in text
    subscribing.switch(there, on=True, by=None, now=clock.now())
    assert "Webhook Partner" not in admin.get(reverse("admin:index")).content.decode()


def test_the_list_takes_as_many_statements_for_many_as_for_few(admin, endpoint):  # noqa: F811
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert admin.get(LIST).status_code == 200
        return len(asked)

    endpoint()
    admin.get(LIST)
    few = statements()
    for _each in range(5):
        endpoint()
    assert statements() == few
