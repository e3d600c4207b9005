"""Certificates and accesses: for the privacy officer, to read."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock
from privacy import access
from privacy.markers import AMAZON
from privacy.models import AccessLog, ErasureCertificate
from tests.factories import make_user

pytestmark = pytest.mark.django_db
LISTS = ["erasurecertificate", "accesslog"]
OTHERS = ["Support", "Customer success", "Administrator", "Warehouse"]


def make_rows(count: int, *, start: int = 0) -> None:
    now = clock.now()
    for number in range(start, start + count):
        ErasureCertificate.objects.create(
            order_id=number, order_number=f"111-{number:07d}-0000000", subject_id=number, rule="import",
            due_at=now - timedelta(minutes=3), done_at=now, fields=["buyer_name"], marker=AMAZON, version="1",
        )  # fmt: skip
        access.log_view(make_user("Support"), number, what="order page")


@pytest.mark.parametrize("role", OTHERS)
def test_only_the_privacy_officer_reads_them(client, noon, role):
    make_rows(1)
    client.force_login(make_user(role))
    for name in LISTS:
        assert client.get(f"/admin/privacy/{name}/").status_code == 403
    answer = client.get("/admin/privacy/")
    assert answer.status_code in {403, 404} or role == "Administrator"  # who reads the security log, and no more
    assert not any(f"/admin/privacy/{name}/" in answer.content.decode() for name in LISTS)


def test_a_superuser_is_no_privacy_officer_by_being_one(client, noon):
    make_rows(1)
    client.force_login(make_user(is_superuser=True))
    for name in LISTS:
        assert client.get(f"/admin/privacy/{name}/").status_code == 403


def test_the_privacy_officer_reads_and_changes_nothing(client, noon):
    make_rows(1)
    client.force_login(make_user("Privacy officer"))
    page = client.get("/admin/privacy/erasurecertificate/").content.decode()
    assert "111-0000000-0000000" in page and "3\xa0minutes" in page
    row, entry = ErasureCertificate.objects.get(), AccessLog.objects.get()
    detail = client.get(f"/admin/privacy/erasurecertificate/{row.pk}/change/").content.decode()
    assert ">buyer<" in detail and "buyer_name" not in detail
    accesses = client.get("/admin/privacy/accesslog/").content.decode()
    assert entry.user.username in accesses and "page of the order</td>" in accesses
    for name, pk in (("erasurecertificate", row.pk), ("accesslog", entry.pk)):
        for action in (f"{pk}/change/", f"{pk}/delete/", "add/"):
            assert client.post(f"/admin/privacy/{name}/{action}", {"post": "yes"}).status_code == 403
        client.post(f"/admin/privacy/{name}/", {"action": "delete_selected", "_selected_action": [pk], "post": "yes"})
    assert (ErasureCertificate.objects.count(), AccessLog.objects.count()) == (1, 1)


def test_lists_are_narrowed_by_filter_day_and_number(client, noon):
    make_rows(3)
    client.force_login(make_user("Privacy officer"))
    for query, found in (
        ("q=111-0000001-0000000", 1), ("q=111", 0), ("kind__exact=label", 0), ("rule=import", 3),
        (f"done_at__year={noon.year}", 3), (f"done_at__year={noon.year - 1}", 0),
    ):  # fmt: skip
        answer = client.get(f"/admin/privacy/erasurecertificate/?{query}")
        assert (query, answer.context["cl"].result_count) == (query, found)


@pytest.mark.parametrize("name", LISTS)
def test_lists_take_the_same_queries_for_5_and_25_rows(client, noon, name):
    client.force_login(make_user("Privacy officer"))

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"/admin/privacy/{name}/").status_code == 200
        return len(caught)

    make_rows(5)
    client.get("/admin/")
    few = queries()
    make_rows(20, start=5)
    assert queries() == few <= 20
