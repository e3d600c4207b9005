"""The security log to read, and the emergency stop beside it."""

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orderhub import clock, killswitch
from privacy import audit
from privacy.models import SecurityChain, SecurityEvent
from privacy.models.event import EventCode, Outcome
from tests.factories import make_user

pytestmark = pytest.mark.django_db
LIST = "/admin/privacy/securityevent/"
STOP = f"{LIST}killswitch/"


@pytest.fixture
def officer(client, noon):
    user = make_user("Privacy officer")
    client.force_login(user)
    return user


@pytest.fixture
def switch(settings):
    settings.KILLSWITCH_POLL_S = 0
    killswitch.forget()
    yield
    killswitch.forget()


def make_rows(count: int) -> None:
    for number in range(count):
        audit.record(EventCode.LABEL_OPENED, user=make_user("Warehouse"), kind="label", ids=[number])


@pytest.mark.parametrize("role", ["Support", "Customer success", "Warehouse"])
def test_other_roles_neither_read_the_log_nor_stop_anything(client, noon, switch, role):
    client.force_login(make_user(role))
    assert client.get(LIST).status_code == client.get(STOP).status_code == 403
    assert client.post(STOP, {"deed": "stop", "sure": "1"}).status_code == 403
    assert not killswitch.is_set()


def test_a_superuser_reads_it_by_role_only(client, noon):
    client.force_login(make_user(is_superuser=True))
    assert client.get(LIST).status_code == client.get(STOP).status_code == 403


@pytest.mark.parametrize("role", ["Privacy officer", "Administrator"])
def test_both_roles_read_it_and_change_nothing(client, noon, role):
    client.force_login(make_user(role))
    event = audit.record(EventCode.EXPORTED, user=make_user("Support"), kind="orders", ids=[12], reason="ab12")
    page = client.get(LIST).content.decode()
    assert "Export" in page and event.user.username in page and "ab12" in page
    assert client.get(f"{LIST}{event.pk}/change/").status_code == 200
    for action in (f"{event.pk}/change/", f"{event.pk}/delete/", "add/"):
        assert client.post(f"{LIST}{action}", {"post": "yes"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"})
    assert SecurityEvent.objects.filter(pk=event.pk, code=EventCode.EXPORTED).exists()


def test_filters_narrow_to_what_they_say(client, officer):
    other = make_user("Support")
    old = audit.record(EventCode.LABEL_OPENED, user=other, ids=[1])
    clock.advance(days=8)
    new = audit.record(EventCode.REFUSED, user=officer, outcome=Outcome.REFUSED)
    job = audit.record(EventCode.ERASED, actor="privacy.redact_due")

    def rows(query: str) -> set[int]:
        return {event.pk for event in client.get(LIST + query).context["cl"].result_list} & {old.pk, new.pk, job.pk}

    assert rows("") == {old.pk, new.pk, job.pk}
    assert rows("?code=label_opened") == rows(f"?user={other.pk}") == {old.pk}
    assert rows("?outcome=refused") == {new.pk}
    assert rows("?user=none") == {job.pk}
    assert rows("?days=7") == {new.pk, job.pk}
    assert rows(f"?q={job.pk}") == {job.pk}


def test_the_search_takes_whole_ids_only(client, officer):
    client.get("/admin/privacy/accesslog/?x=1")
    SecurityEvent._base_manager.create(code=EventCode.REFUSED, request_id="abcdef0123456789")
    found = [client.get(f"{LIST}?q={term}").context["cl"].result_count for term in ("abcdef0123456789", "abcdef", "a%")]
    assert found == [1, 0, 0]


def test_any_other_lookup_is_refused(client, officer):
    make_rows(1)
    assert client.get(f"{LIST}?user__password__startswith=a").status_code in {302, 400}


@pytest.mark.parametrize(
    ("chain", "says"),
    [
        ({}, "has not been verified yet"),
        ({"position": 12345, "verified": 0}, "12,345 events, none altered, none missing"),
        ({"position": 12345, "pruned_to": 12344, "verified": 0}, "1 event, unaltered and complete"),
        ({"position": 5, "verified": 50}, "was last verified on"),
        ({"position": 5, "verified": 0, "broken_at": 3}, "event number 3 of the chain"),
    ],
)
def test_the_state_of_the_chain_stands_on_top(client, officer, chain, says):
    hours = chain.pop("verified", None)
    verified_at = None if hours is None else clock.now()
    SecurityChain.objects.update_or_create(pk=1, defaults=chain | {"verified_at": verified_at})
    clock.advance(hours=hours or 0)
    assert says in client.get(LIST).content.decode()


def test_a_broken_log_is_an_alarm_on_the_start_page_of_those_who_may_read_it(client, officer):
    SecurityChain.objects.create(pk=1, position=5, verified_at=clock.now())
    assert "security log was altered" not in client.get("/admin/").content.decode()
    SecurityChain.objects.update(broken_at=3)
    assert "security log was altered" in client.get("/admin/").content.decode()
    client.force_login(make_user("Support"))
    assert "security log was altered" not in client.get("/admin/").content.decode()


def test_the_list_has_a_constant_number_of_queries(client, officer):
    counts = []
    for more in (2, 30):
        make_rows(more)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(LIST).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 20


# -- the emergency stop


def test_the_stop_ends_every_session_the_stopper_s_too_and_is_recorded(client, officer, switch):
    other = Client()
    other.force_login(make_user("Support"))
    assert other.get("/admin/").status_code == 200
    answer = client.post(STOP, {"deed": "stop", "sure": "1"})
    assert answer.status_code == 200 and "2 sessions were ended" in answer.content.decode()
    assert killswitch.is_set() and Session.objects.count() == 0
    assert other.get("/admin/").status_code == client.get("/admin/").status_code == 302
    event = SecurityEvent.objects.get(code=EventCode.KILLSWITCH)
    assert (event.user, event.reason, event.kind, event.ids) == (officer, "on", "sessions", [2])


def test_the_stop_needs_the_box_and_a_post(client, officer, switch):
    client.get(f"{STOP}?deed=stop&sure=1")
    page = client.post(STOP, {"deed": "stop"}).content.decode()
    assert "tick the box first" in page and not killswitch.is_set()


def test_every_page_says_that_it_is_on_and_the_button_lifts_it(client, officer, switch):
    killswitch.put(holder="test")
    assert "emergency stop is on" in client.get(LIST).content.decode()
    assert client.post(STOP, {"deed": "lift"}).status_code == 302
    assert not killswitch.is_set()
    assert "emergency stop is on" not in client.get(LIST).content.decode()
    assert [event.reason for event in SecurityEvent.objects.filter(code=EventCode.KILLSWITCH)] == ["off"]
