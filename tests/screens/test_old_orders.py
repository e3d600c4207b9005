"""DPP 1.7 on the screens: the law of a store, what the ledger says of old orders, and the timeline of a reduced one."""

import pytest
from django.urls import reverse

from orders.models import Order, OrderEvent
from orders.timeline import sentence
from privacy import access
from privacy.models import SecurityEvent
from privacy.models.event import EventCode
from stores.models import Store
from stores.simulator import scenarios
from tests.factories import make_account, make_order, make_store
from tests.privacy.old import months_ago, old_order, retire
from tests.screens.storepages import page_of_store, shown, sign_in

pytestmark = pytest.mark.django_db
LAW = "French accounting law, ten years from the end of the fiscal year"
NOTHING = {"retention_unshipped_days": "", "retention_shipped_days": "", "retention_label_days": "", "legal_hold": ""}
LEDGER = reverse("admin:privacy_ledger")


@pytest.fixture
def store(noon) -> Store:
    return make_store(name="Atelier du Lac")


def test_d1_7b_the_officer_chooses_the_law_and_it_is_on_record(client, store):
    sign_in(client, access.PRIVACY)
    page = f"{page_of_store(store)}retention/"
    assert LAW in client.get(page).content.decode()
    for chosen in ("fr_accounting", ""):
        answer = client.post(page, NOTHING | {"legal_hold": chosen}, follow=True)
        assert ("only the accounting fields stay" in answer.content.decode()) == bool(chosen)
        assert Store.objects.get().legal_hold == chosen
    told = SecurityEvent.objects.filter(code=EventCode.RETENTION_CHANGED).order_by("pk")
    assert list(told.values_list("reason", flat=True)) == ["hold:fr_accounting", "hold:none"]


def test_d1_7b_a_law_of_ones_own_is_refused(client, store):
    sign_in(client, access.PRIVACY)
    answer = client.post(f"{page_of_store(store)}retention/", NOTHING | {"legal_hold": "because"})
    assert "Nothing was saved" in answer.content.decode()
    assert Store.objects.get().legal_hold == ""


def test_d1_7b_who_sees_the_store_reads_what_becomes_of_its_orders(client, store, settings):
    sign_in(client, access.SUPPORT)
    assert "Deleted 18 months after their date" in shown(client, store)
    settings.LEGAL_HOLD = "fr_accounting"
    assert f"After 18 months only the accounting fields stay: {LAW}" in shown(client, store)


def test_d1_7b_the_ledger_counts_old_orders_by_their_law(client, store):
    held = make_store("FR", account=make_account(scenarios.EU), legal_hold="fr_accounting")
    sign_in(client, access.PRIVACY)
    assert "There are none." in client.get(LEDGER).content.decode()
    old_order(held, months_ago())
    retire()
    old_order(store, months_ago())
    make_order(store, ordered_at=months_ago())
    page = client.get(LEDGER).content.decode()
    assert "Orders of over 18 months" in page
    assert f"1 order, accounting fields only: {LAW}." in page
    assert "1 order to be deleted in the next night: no law holds it." in page
    assert "1 order whose personal data is not erased yet: it stays until it is." in page


def test_d1_7b_a_reduced_order_can_still_be_opened_and_says_why_it_is_bare(client, noon):
    held = make_store(legal_hold="fr_accounting")
    order = old_order(held, months_ago())
    retire()
    sign_in(client, access.SUPPORT)
    page = client.get(reverse("admin:orders_order_change", args=[order.pk]))
    assert page.status_code == 200 and order.order_number in page.content.decode()
    assert sentence(OrderEvent.objects.get(order=order)) == f"Reduced to accounting fields: {LAW}"
    assert f"Reduced to accounting fields: {LAW}" in page.content.decode()
    assert "its parcels are gone" in page.content.decode()
    assert "shipped outside OrderHub" not in page.content.decode()
    assert Order.objects.get().status == "shipped"
