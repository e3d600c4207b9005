"""The page of carriers: who sees it, who changes it, what is refused, and that each change is in the history."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from privacy import access
from shipments import carriers
from shipments.models import CarrierSetting
from tests.factories import make_order, make_shipment, make_user

pytestmark = pytest.mark.django_db
LIST = reverse("admin:shipments_carriersetting_changelist")
MAY = {access.SUPPORT, access.ADMINISTRATOR}


@pytest.fixture
def support(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    return user


def _page(code: str) -> str:
    return reverse("admin:shipments_carriersetting_carrier", args=[code])


@pytest.mark.parametrize("role", [*access.ROLES, None])
def test_support_and_administrators_see_and_change_carriers(client, noon, role):
    client.force_login(make_user(*filter(None, [role])))
    seen = [client.get(url).status_code for url in (LIST, _page("ups"))]
    sent = client.post(_page("ups"), {"amazon": "UPS 2"}).status_code
    assert (seen, sent) == (([200, 200], 302) if role in MAY else ([403, 403], 403))
    assert CarrierSetting.objects.exists() == (role in MAY)


def test_nobody_comes_in_unknown_and_nothing_is_added_or_deleted_by_hand(client, support):
    client.post(_page("ups"), {"amazon": "UPS 2"})
    pk = CarrierSetting.objects.get().pk
    for name, args in (("add", []), ("delete", [pk])):
        url = reverse(f"admin:shipments_carriersetting_{name}", args=args)
        assert client.post(url, {"post": "yes", "code": "x"}).status_code == 403
    assert client.post(LIST).status_code == client.put(_page("ups")).status_code == 405
    client.logout()
    assert "/login/" in client.get(_page("ups"))["Location"]
    assert CarrierSetting.objects.count() == 1


def test_the_list_shows_the_whole_table_in_words(client, support):
    html = client.get(LIST).content.decode()
    assert [one.code for one in carriers.ALL if _page(one.code) not in html] == []
    assert "Hermes Logistik Gruppe" in html and "Yu-Packet" in html and "only in part" in html
    assert 'href="https://www.ups.com/track?tracknum=1Z999AA10123456784"' in html
    assert html.count("without a number") == sum(one.numberless for one in carriers.ALL)


def test_the_list_costs_the_same_queries_whatever_was_changed(client, support, django_assert_max_num_queries):
    counts = []
    for codes in (["ups"], [one.code for one in carriers.ALL[1:40]]):
        CarrierSetting.objects.bulk_create(CarrierSetting(code=code, amazon="X") for code in codes if code != "ups")
        client.get(LIST)
        with django_assert_max_num_queries(10) as seen:
            assert client.get(LIST).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_change_counts_at_once_and_is_in_the_history(client, support, noon):
    shipment = make_shipment(make_order())
    before = shipment.tracking_url
    data = {"amazon": "UPS 2", "tracking_url": "https://track.example/{n}?l=fr", "hidden": "on"}
    html = client.post(_page("ups"), data, follow=True).content.decode()
    assert "UPS is saved." in html and "not offered" in html and "changed here" in html
    assert shipment.tracking_url == f"https://track.example/{shipment.tracking_number}?l=fr" != before
    row = CarrierSetting.objects.get()
    assert (row.code, row.changed_by, row.changed_at) == ("ups", support, noon)
    assert LogEntry.objects.get().get_change_message() == "Changed Amazon's spelling, tracking page and not offered."
    assert f"{support.username}: Changed Amazon&#x27;s spelling" in html
    client.post(_page("ups"), data)
    assert LogEntry.objects.count() == 1  # nothing was changed: nothing is told


def test_what_is_the_tables_own_is_kept_as_blank(client, support):
    client.post(_page("ups"), {"amazon": "UPS", "tracking_url": carriers.in_table("ups").url})
    row = CarrierSetting.objects.get()
    assert (row.amazon, row.tracking_url, LogEntry.objects.count()) == ("", "", 0)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://track.example/{n}", "starts with https://"),
        ("javascript:alert({n})", "starts with https://"),
        ("//track.example/{n}", "starts with https://"),
        ("https://track.example/", "Write {n} once"),
        ("https://track.example/{n}/{n}", "Write {n} once"),
        ("https://track.example/{n}?z={zip}", "Write {n} once"),
        ("https://track.example/{n}{", "Write {n} once"),
        ("https://{n}.example/x", "behind the name of the site"),
        ("https://ups.com@evil.example/{n}", "behind the name of the site"),
        ("https://track.example/{n}\u202e", "without hidden characters"),
        ("https://track.example/" + "x" * 200 + "{n}", "at most 200 characters"),
    ],
)
def test_a_tracking_page_that_could_harm_is_refused(client, support, url, sentence):
    html = client.post(_page("ups"), {"tracking_url": url}).content.decode()
    assert sentence in html and "Nothing was saved" in html
    assert not CarrierSetting.objects.exists() and carriers.named("ups").url == carriers.in_table("ups").url


@pytest.mark.parametrize("amazon", ["a\0b", "é" * 61, "UPS\nX"])
def test_a_strange_spelling_is_refused(client, support, amazon):
    assert "Nothing was saved" in client.post(_page("ups"), {"amazon": amazon}).content.decode()
    assert not CarrierSetting.objects.exists()


@pytest.mark.parametrize("code", ["pigeon", "other", "x" * 400])
def test_a_carrier_that_is_not_in_the_table_has_no_page(client, support, code):
    assert client.get(_page(code)).status_code == client.post(_page(code), {"amazon": "X"}).status_code == 404


def test_the_history_leads_to_the_carrier_and_another_code_to_the_same(client, support):
    client.post(_page("dpd_fr"), {"amazon": "DPD France"})
    row = CarrierSetting.objects.get()
    assert row.code == "dpd"
    url = reverse("admin:shipments_carriersetting_change", args=[row.pk])
    assert client.get(url)["Location"] == _page("dpd")
    assert client.get(reverse("admin:shipments_carriersetting_history", args=[row.pk])).status_code == 200
    assert client.get(reverse("admin:shipments_carriersetting_change", args=["x"])).status_code == 302
