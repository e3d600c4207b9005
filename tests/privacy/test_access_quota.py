"""B36, D1.2c: somebody who looks at very many people is noticed, once an hour, and not stopped."""

import pytest
from django.urls import reverse

from orderhub import clock
from privacy import access, quota
from privacy.models import AccessLog, SecurityEvent
from privacy.models.event import EventCode
from tests.factories import make_order, make_user

pytestmark = pytest.mark.django_db


def alarms() -> list[tuple]:
    found = SecurityEvent.objects.filter(code=EventCode.QUOTA_EXCEEDED).order_by("pk")
    return list(found.values_list("user", "kind", "ids"))


def seen(user, count: int) -> None:
    access.log_views(user, list(range(1, count + 1)), what="order page")


def test_b36_200_views_an_hour_raise_nothing_and_the_next_one_does(noon):
    user = make_user(access.SUPPORT)
    seen(user, 200)
    assert alarms() == []
    access.log_view(user, 1, what="order page")
    assert alarms() == [(user.pk, "user", [user.pk])]


def test_b36_one_alarm_an_hour_and_another_if_it_goes_on(noon):
    user = make_user(access.SUPPORT)
    seen(user, 201)
    seen(user, 300)
    clock.advance(minutes=59)
    seen(user, 1)
    assert len(alarms()) == 1
    clock.advance(minutes=2)
    seen(user, 201)
    assert len(alarms()) == 2


def test_b36_views_of_an_hour_ago_and_of_others_do_not_count(noon):
    one, other = make_user(access.SUPPORT), make_user(access.SUPPORT)
    seen(one, 150)
    clock.advance(minutes=61)
    seen(one, 150)
    seen(other, 150)
    assert alarms() == []


def test_b36_slow_scraping_of_pages_is_noticed_and_never_blocked(client, noon, settings):
    settings.REVEALS_PER_HOUR = 3
    user, order = make_user(access.SUPPORT), make_order()
    client.force_login(user)
    pages = [client.get(reverse("admin:orders_order_change", args=[order.pk])) for _ in range(6)]
    assert [page.status_code for page in pages] == [200] * 6
    assert all("Ada Example" in page.content.decode() for page in pages)
    assert alarms() == [(user.pk, "user", [user.pk])] and AccessLog.objects.count() == 6


@pytest.mark.parametrize("limit", [1, 5])
def test_the_limit_is_the_setting(noon, settings, limit):
    settings.REVEALS_PER_HOUR = limit
    user = make_user(access.SUPPORT)
    seen(user, limit)
    assert alarms() == []
    seen(user, 1)
    assert len(alarms()) == 1


@pytest.mark.parametrize("role", list(access.ROLES))
def test_b36_the_start_page_tells_those_who_read_the_security_log(client, noon, role):
    nosy = make_user(access.SUPPORT, username="nosy")
    seen(nosy, 201)
    client.force_login(make_user(role))
    html = client.get(reverse("admin:index")).content.decode()
    assert ("nosy" in html) == (role in {access.PRIVACY, access.ADMINISTRATOR})
    clock.advance(hours=25)
    assert "nosy" not in client.get(reverse("admin:index")).content.decode()


def test_two_statements_beside_the_row_itself_at_most(noon, django_assert_max_num_queries):
    user = make_user(access.SUPPORT)
    with django_assert_max_num_queries(2):
        access.log_views(user, [1, 2, 3], what="order page")
    assert quota.exceeded_by(now=noon) == []
