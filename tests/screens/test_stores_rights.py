"""A store's page: who may press what, what nobody may post, and what is shown where there is no Amazon."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from stores.models import MarketplaceStatus, RateBucket, Store
from tests.factories import make_account, make_merchant, make_order, make_store, make_user
from tests.screens.storepages import CHANGING, ROLES, enable, page_of_store, saved, settings_of, shown, sign_in

pytestmark = pytest.mark.django_db
DEEDS = {
    "custom-fields": {"custom_field_1": "order_number"},
    "grant": {"feature": "custom_fields", "enabled": "on", "reason": "test"},
}
BUTTONS = ["remove-logo", "confirm-sender", "withdraw-sender"]  # of the form: they save it first
EVIL = '"><script>alert(1)</script>'


@pytest.fixture
def store(noon) -> Store:
    return make_store()


@pytest.fixture
def support(client):
    return sign_in(client, "Support")


# -- who may do what


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("deed", DEEDS)
def test_each_button_is_for_its_roles_whatever_is_posted(client, store, role, deed):
    before = Store.objects.values().get(pk=store.pk)
    sign_in(client, role)
    answer = client.post(f"{page_of_store(store)}{deed}/", DEEDS[deed])
    assert answer.status_code == (302 if role in CHANGING else 403)
    did = role == "Customer success" and deed == "grant"
    assert (Store.objects.values().get(pk=store.pk) != before) is did


@pytest.mark.parametrize("role", ROLES)
def test_the_buttons_of_the_form_are_for_those_who_may_save_it(client, store, role):
    sign_in(client, role)
    for deed, confirmed in (("confirm-sender", "service@orderhub.test"), ("withdraw-sender", "")):
        given = settings_of(store, deed=deed, shown_sender="service@orderhub.test")
        answer = client.post(f"{page_of_store(store)}change/", given)
        assert answer.status_code == (302 if role in CHANGING else 403)
        assert Store.objects.get().approved_sender == (confirmed if role in CHANGING else "")


def test_who_only_reads_sees_every_section_as_text_and_changes_nothing(client, store):
    MarketplaceStatus.objects.create(store=store, name="BACKORDERED", status="on_hold")
    user = make_user()
    user.user_permissions.set(Permission.objects.filter(codename="view_store"))
    client.force_login(user)
    text = shown(client, store)
    assert "BACKORDERED" in text and "On hold" in text and "As saved: a parcel labelled now" in text
    main = text.partition('id="content-main"')[2]
    assert "<input" not in main and "<select" not in main and "Save the settings" not in main
    before = Store.objects.values().get(pk=store.pk)
    answers = [client.post(f"{page_of_store(store)}{deed}/", given).status_code for deed, given in DEEDS.items()]
    for deed in (None, *BUTTONS):
        given = settings_of(store, name="X", deed=deed, shown_sender="service@orderhub.test")
        answers.append(client.post(f"{page_of_store(store)}change/", given).status_code)
    assert answers == [302, 302, 403, 403, 403, 403]  # the first two answer with a sentence of their own
    assert Store.objects.values().get(pk=store.pk) == before


FORBIDDEN = {
    "id": 4711, "merchant": 4711, "merchant_id": 4711, "account": "", "account_id": "", "platform": "manual",
    "marketplace": "CA", "time_zone": "UTC", "created_at": "2020-01-01", "brand_logo": "../../secrets.json",
    "approved_sender": "service@orderhub.test", "approved_sender_confirmed_at": "2020-01-01",
    "approved_sender_confirmed_by": 1, "custom_fields_enabled": "on", "japan_enabled": "on",
    "custom_field_1": "order_number", "custom_field_2": "order_number", "custom_field_3": "order_number",
    "linked_store": 1, "linked_mails_off_at": "2020-01-01", "linked_mails_off_by": 1, "amazon_told_by": "connector",
    "mail_shipped": "on", "mail_delivered": "on",  # of manual stores only
    "ship_from": '{"name": "X"}', "grants": 1, "orders": 1,
    "retention_unshipped_days": 1, "retention_shipped_days": 1, "retention_label_days": 1,  # the privacy officer's
    "redaction_strict": "on", "legal_hold": "fr_accounting",
}  # fmt: skip


@pytest.mark.sampled(6)
@pytest.mark.parametrize("role", [*ROLES, "superuser"])
def test_b04_no_other_column_can_be_posted_by_anybody(client, store, role):
    if role == "superuser":
        sign_in(client, is_superuser=True)
    else:
        sign_in(client, role)
    before = Store.objects.values().get(pk=store.pk)
    for name, value in FORBIDDEN.items():
        for sent in (value, [value, value]):
            answer = client.post(f"{page_of_store(store)}change/", settings_of(store, **{name: sent}))
            assert answer.status_code == (302 if role in CHANGING or role == "superuser" else 403)
    client.post(f"{page_of_store(store)}change/", settings_of(store, **FORBIDDEN))
    assert Store.objects.values().get(pk=store.pk) == before


def test_b04_every_column_is_either_in_the_form_or_in_the_list_above():
    columns = {found.name for found in Store._meta.concrete_fields}
    typed = {
        *settings_of(Store(notify_delay_minutes=1)),
        "active",
        "import_afn",
        "import_customization",
        "correct_tracking",
    }
    assert columns - typed - set(FORBIDDEN) == set()


def test_b15_get_changes_nothing_on_any_address(support, store):
    enable(store)
    before = Store.objects.values().get(pk=store.pk)
    for deed, given in DEEDS.items():
        answer = support.get(f"{page_of_store(store)}{deed}/", given)
        assert answer.url == f"{page_of_store(store)}change/"
    for address in ("preview/", "logo/", "change/?custom_field_1=order_number"):
        support.get(f"{page_of_store(store)}{address}")
    for address in ("preview/", "logo/"):
        assert support.post(f"{page_of_store(store)}{address}").status_code == 405
    assert Store.objects.values().get(pk=store.pk) == before
    assert not RateBucket.objects.exists() and not LogEntry.objects.exists()


@pytest.mark.parametrize("address", ["custom-fields", "grant", "preview", "logo"])
def test_a_store_that_is_not_there_is_not_found(support, noon, address):
    method = support.get if address in {"preview", "logo"} else support.post
    assert method(f"/admin/stores/store/4711/{address}/").status_code == 404


# -- other platforms, hostile texts


@pytest.mark.parametrize(
    ("platform", "mailing"), [("bigcommerce", []), ("handmade", ["sender"]), ("manual", ["sender", "mails"])]
)
def test_a_store_of_another_platform_has_none_of_amazons_sections(client, noon, platform, mailing):
    shop = Store.objects.create(merchant=make_merchant(), name="Shop", platform=platform, notify_when="label")
    sign_in(client, "Customer success")
    text = shown(client, shop)
    assert re.findall(r'<section class="oh-panel" id="([a-z-]+)"', text) == [
        "general",
        "brand",
        "ship-from",
        *mailing,
        "retention",
    ]
    typed = {
        "name": "Shop 2",
        "ship_from_city": "Annecy",
        "brand_phone": "1",
        "notify_when": "never",
        "import_afn": "on",
    }
    after = saved(client, shop, **typed)
    assert (after.name, after.ship_from, after.brand_phone) == ("Shop 2", {"city": "Annecy"}, "1")
    assert (after.notify_when, after.import_afn) == ("label", False)
    assert client.get(f"{page_of_store(shop)}preview/").status_code == 200
    client.post(f"{page_of_store(shop)}change/", settings_of(after, deed="confirm-sender", shown_sender=shop.sender))
    assert Store.objects.get().approved_sender == (shop.sender if mailing else "")


def test_b05_texts_of_people_and_marketplaces_are_inert_on_the_page_and_its_preview(client, noon):
    store = enable(make_store(
        account=make_account(merchant=make_merchant(EVIL)), name=EVIL, brand_name=EVIL, brand_phone=EVIL,
        ship_from={"name": EVIL, "street1": EVIL, "city": EVIL},
    ))  # fmt: skip
    make_order(
        store, order_number=EVIL, seller_order_id=EVIL, status="on_hold", custom_status=EVIL[:40],
        person={"purchase_order_number": EVIL},
    )  # fmt: skip
    MarketplaceStatus.objects.create(store=store, name="x" + EVIL[:39], status="on_hold")
    sign_in(client, "Support")
    query = "?custom_field_1=purchase_order_number&custom_field_2=seller_order_id&custom_field_3=" + EVIL
    for text in (shown(client, store, query), client.get(f"{page_of_store(store)}preview/").content.decode()):
        assert "<script>alert" not in text and "&lt;script&gt;" in text
