"""A store's page: every section, and what its buttons do."""

import re
from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models.signals import pre_save
from django.test.utils import CaptureQueriesContext
from PIL import Image

from privacy.models import AccessLog
from stores import historywords, senders
from stores.connectors.amazon.client import CONFIRM_SHIPMENT
from stores.forms_store import StoreForm
from stores.models import AmazonAccount, MarketplaceStatus, RateBucket, Store
from stores.simulator import scenarios
from stores.throttle import AccountThrottle
from tests.factories import make_account, make_order, make_store, make_user
from tests.screens.storepages import (
    CHANGING,
    ROLES,
    enable,
    page_of_store,
    picture,
    pressed,
    refused,
    saved,
    settings_of,
    shown,
    sign_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(noon) -> Store:
    return make_store()


@pytest.fixture
def support(client):
    return sign_in(client, "Support", username="sofia")


# -- the page


SECTIONS = [
    "general", "brand", "ship-from", "sender", "notification", "import", "products", "statuses", "imports", "authorisation", "features",
    "custom-fields", "bigcommerce", "retention",
]  # fmt: skip


def test_every_section_says_what_it_is_for_and_is_linked_from_the_top(support, store):
    text = shown(support, store)
    assert re.findall(r'<a href="#([a-z-]+)">', text.partition('class="oh-jump"')[2].partition("</nav>")[0]) == SECTIONS
    for key in SECTIONS:
        head = text.partition(f'id="{key}"')[2][:400]
        assert re.search(r"<h2 [^>]*>[^<]+</h2>\s*<p class=\"oh-quiet\">[A-Z][^<]+\.</p>", head), key


def test_the_page_needs_neither_inline_style_nor_inline_script(support, store):
    for address in ("change/", "preview/"):
        answer = support.get(f"{page_of_store(store)}{address}")
        text = answer.content.decode()
        assert "style=" not in text and "<style" not in text
        assert re.findall(r"<script(?![^>]* src=)", text) == [] and re.findall(r" on[a-z]+=", text) == []
        assert "script-src 'self'; style-src 'self'" in answer.headers["Content-Security-Policy"]


def test_r11_the_checklist_folds_to_one_line_when_all_is_done(support, store, noon):
    assert '<details class="oh-panel oh-todo" id="checklist" open>' in shown(support, store)
    assert "4 things are left to do" in shown(support, store)
    assert "Not known yet:" in shown(support, store)
    address = {
        "ship_from_name": "Lake",
        "ship_from_street1": "1 Road",
        "ship_from_city": "Annecy",
        "ship_from_country": "FR",
    }
    pressed(support, store, "confirm-sender", brand_name="Lake", logo=picture(), **address)
    make_order(store)
    text = shown(support, store)
    assert '<details class="oh-panel oh-todo" id="checklist">' in text and "Everything is set up." in text


def test_everything_of_the_form_is_saved_with_one_button(support, store):
    typed = {
        "name": "Lake US", "product_identifier": "asin", "import_afn": "on", "import_customization": "on",
        "brand_name": "Lake", "brand_phone": "+1 555 0199", "brand_site": "https://lake.example/shop",
        "brand_from_email": "returns@lake.example", "notify_when": "delay", "notify_delay_minutes": "240",
        "product_title_policy": "never", "product_image_policy": "if_empty", "product_weight_policy": "always",
        "product_dimensions_policy": "never",
    }  # fmt: skip
    after = saved(support, store, **typed)
    for name, value in typed.items():
        kept = getattr(after, name)
        assert kept is True if value == "on" else str(kept) == value, name
    assert shown(support, store).count('<button type="submit" class="oh-button">Save the settings</button>') == 1


def test_saving_does_not_undo_what_customer_success_does_meanwhile(support, store):
    def meanwhile(instance, **given):
        Store.objects.filter(pk=instance.pk).update(custom_fields_enabled=True, custom_field_1="order_number")

    pre_save.connect(meanwhile, sender=Store)
    try:
        after = saved(support, store, brand_name="Lake")
    finally:
        pre_save.disconnect(meanwhile, sender=Store)
    assert (after.brand_name, after.custom_fields_enabled, after.custom_field_1) == ("Lake", True, "order_number")


def test_a_grant_of_amazon_co_jp_during_a_save_stands(support, noon):
    japan = make_store("JP", account=make_account(scenarios.JP))

    def meanwhile(instance, **given):
        Store.objects.filter(pk=instance.pk).update(active=True, japan_enabled=True)

    pre_save.connect(meanwhile, sender=Store)
    try:
        after = saved(support, japan, brand_name="Lake", active=None)
    finally:
        pre_save.disconnect(meanwhile, sender=Store)
    assert (after.brand_name, after.active, after.japan_enabled) == ("Lake", True, True)


def test_two_people_on_one_page_do_not_overwrite_each_other(support, store):
    seen = re.search(r'name="as_loaded" value="(\w+)"', shown(support, store))[1]
    Store.objects.filter(pk=store.pk).update(notify_when="never", active=False)
    text = refused(support, store, brand_phone="+1 555 0100", as_loaded=seen)
    assert "Somebody else changed these settings meanwhile" in text
    again = re.search(r'name="as_loaded" value="(\w+)"', text)[1]
    assert saved(support, store, brand_phone="+1 555 0100", as_loaded=again).notify_when == "label"  # knowingly now


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", ["name", "brand_name", "brand_phone", "ship_from_street1"])
@pytest.mark.parametrize("text", ["Shop\r\nBcc: a@b.test", "A\nB", "A\u202eB", "A\u200bB"])
def test_b32_names_stand_in_one_line_without_hidden_characters(support, store, name, text):
    assert "Type this in one line" in refused(support, store, **{name: text})


def test_a_row_removed_meanwhile_is_said_to_be_so(support, store):
    rows = {
        "status_map-TOTAL_FORMS": 1, "status_map-INITIAL_FORMS": 1, "status_map-0-id": 999_999,
        "status_map-0-store": store.pk, "status_map-0-name": "BACKORDERED", "status_map-0-status": "on_hold",
    }  # fmt: skip
    assert "This row was removed meanwhile" in refused(support, store, **rows)


def test_a_store_keeps_at_most_a_hundred_statuses(support, store):
    rows = {"status_map-TOTAL_FORMS": 101, "status_map-INITIAL_FORMS": 0}
    for number in range(101):
        rows |= {f"status_map-{number}-name": f"WORD {number}", f"status_map-{number}-status": "on_hold"}
    assert "at most 100 statuses" in refused(support, store, **rows)


def test_the_forecast_says_that_the_connector_tells_amazon(support, store, noon):
    shop = Store.objects.create(merchant=store.merchant, name="Mirror", platform="bigcommerce")
    Store.objects.filter(pk=store.pk).update(linked_store=shop, linked_mails_off_at=noon, amazon_told_by="connector")
    text = shown(support, store)
    assert "the connector between BigCommerce and Amazon does" in text and "is told to Amazon at about" not in text


def test_the_page_takes_the_same_queries_whatever_the_store_holds(support, noon):
    def queries() -> int:
        query = "?custom_field_1=purchase_order_number"
        with CaptureQueriesContext(connection) as caught:
            shown(support, store, query)
        return len(caught)

    store = enable(make_store())
    make_order(store, person={"purchase_order_number": "PO-1"}, custom_status="A", status="on_hold")
    MarketplaceStatus.objects.create(store=store, name="KNOWN", status="on_hold")
    queries()
    few = queries()
    for number in range(25):
        make_order(store, person={"purchase_order_number": "PO-1"}, custom_status=f"W{number}", status="on_hold")
        MarketplaceStatus.objects.create(store=store, name=f"KNOWN{number}", status="on_hold")
        enable(store)
    assert queries() == few
    print(f"\n{connection.vendor}: {few} queries for a store's page with its preview")
    assert few <= 25


def test_two_stores_of_a_merchant_have_different_names(support, store):
    other = make_store("CA", account=store.account)
    for name in (store.name, store.name.upper()):
        assert "another store of this name" in refused(support, other, name=name)
    saved(support, make_store("FR", account=make_account(scenarios.EU)), name=store.name)  # another merchant's
    Store.objects.filter(pk=other.pk).update(name=store.name)
    saved(support, Store.objects.get(pk=other.pk), brand_phone="+1 555 0100")  # an old one stops nobody


def test_a_store_whose_account_does_not_work_says_so_in_lists_and_on_its_page(support, store):
    address = "/admin/stores/store/"
    with CaptureQueriesContext(connection) as before:
        assert "import paused" not in support.get(address).content.decode()
    AmazonAccount.objects.update(status="revoked")
    make_store("CA", account=store.account)
    with CaptureQueriesContext(connection) as after:
        assert support.get(address).content.decode().count("import paused") == 2
    assert len(after) == len(before)
    account_page = f"/admin/stores/amazonaccount/{store.account_id}/change/"
    for page in (shown(support, store), support.get(account_page).content.decode()):
        assert '<span class="oh-badge oh-badge--warn">import paused</span>' in page
    Store.objects.update(active=False)
    assert "import paused" not in support.get(address).content.decode()


def test_a_refused_form_opens_at_its_first_mistake_and_says_so_aloud(support, store):
    assert "autofocus" not in shown(support, store)
    wrong = rows(("A", "", None)) | {"ship_from_country": "XX", "brand_site": "ftp://lake.example"}
    text = refused(support, store, **wrong)
    assert re.findall(r'<input[^>]*name="([a-z_]+)"[^>]* autofocus', text) == ["brand_site"]
    assert text.count(" autofocus") == 1 and 'class="oh-note oh-note--bad" role="alert"' in text
    text = refused(support, store, **rows(("A", "", None)))
    assert re.findall(r'<select[^>]*name="([a-z_0-9-]+)"[^>]* autofocus', text) == ["status_map-0-status"]


def test_the_history_names_the_section_of_each_field(support, store):
    saved(support, store, ship_from_name="Lake", brand_phone="+1 555 0100")
    told = LogEntry.objects.get().get_change_message()
    assert told == "Changed Brand: phone and Ship-from address: name."
    assert set(StoreForm.base_fields) <= set(historywords.FIELDS)
    saved(support, Store.objects.get())
    assert LogEntry.objects.count() == 1  # nothing was changed: nothing is told


# -- brand and logo


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"brand_site": "ftp://lake.example"}, "begins with https:// or http://"),
        ({"brand_site": "javascript:alert(1)"}, "valid URL"),
        ({"brand_site": "https://amazon.com@lake.example/"}, "without a user name"),
        ({"brand_from_email": "élan@lake.example"}, "valid email address"),
        ({"brand_from_email": '"a.b"@lake.example'}, "without accents or quotation marks"),
        ({"brand_from_email": "shop@exämple.example"}, "without accents or quotation marks"),
        ({"brand_from_email": "a@lake.example\r\nBcc: b@lake.example"}, "valid email address"),
        ({"brand_from_email": "Lake <a@lake.example>"}, "valid email address"),
        ({"logo": SimpleUploadedFile("logo.png", b"<svg onload='alert(1)'/>")}, "not a PNG, JPEG or WebP picture"),
        ({"logo": SimpleUploadedFile("logo.png", b"")}, "submitted file is empty"),
        ({"ship_from_country": "FRA"}, "Type the two letters of the country"),
        ({"ship_from_country": "UK"}, "Type the two letters of the country"),
        ({"ship_from_country": "ß"}, "Type the two letters of the country"),
        ({"ship_from_phone": "12 34"}, "at least 5 digits"),
        ({"ship_from_phone": "none"}, "at least 5 digits"),
    ],
)  # fmt: skip
def test_what_buyers_would_see_is_checked(support, store, typed, sentence):
    assert sentence in refused(support, store, **typed)


def test_the_site_may_be_typed_without_its_scheme(support, store):
    assert saved(support, store, brand_site="lake.example").brand_site == "https://lake.example"


def test_the_logo_is_kept_shown_and_removed(support, store, django_capture_on_commit_callbacks):
    address = f"{page_of_store(store)}logo/"
    assert support.get(address).status_code == 404
    after = saved(support, store, logo=picture((1200, 300), "JPEG"))
    answer = support.get(address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert Image.open(BytesIO(answer.content)).size == (600, 150)
    assert f'src="{address}"' in shown(support, store) and after.brand_logo.name not in shown(support, store)
    with django_capture_on_commit_callbacks(execute=True):
        text = pressed(support, after, "remove-logo", brand_phone="+33 4 00")
    assert "The logo is removed." in text and address not in text
    assert Store.objects.get().brand_phone == "+33 4 00"  # what was typed meanwhile is saved with it
    assert support.get(address).status_code == 404
    assert not after.brand_logo.storage.exists(after.brand_logo.name)


def test_a_logo_chosen_while_another_is_removed_stays(support, store):
    before = saved(support, store, logo=picture()).brand_logo.name
    assert "The logo is removed." not in pressed(support, store, "remove-logo", logo=picture((60, 20)))
    assert Store.objects.get().brand_logo.name not in {"", before}


@pytest.mark.parametrize("deed", ["remove-logo", "confirm-sender", "withdraw-sender"])
def test_a_button_does_nothing_where_the_form_is_refused(support, store, deed):
    store = saved(support, store, logo=picture())
    text = refused(support, store, deed=deed, shown_sender=store.sender, ship_from_country="1!")
    assert "The settings are saved." not in text and not LogEntry.objects.filter(change_message__contains="approved")


def test_the_enter_key_only_saves(support, store):
    form = shown(support, saved(support, store, logo=picture())).partition('id="store_form"')[2]
    assert 'name="deed"' not in re.search(r"<button[^>]*>", form)[0]


def test_saving_without_a_new_logo_keeps_the_old_one(support, store):
    name = saved(support, store, logo=picture()).brand_logo.name
    assert name and saved(support, store, brand_phone="1").brand_logo.name == name


@pytest.mark.parametrize("role", [*ROLES, None])
def test_the_logo_is_for_those_who_may_see_the_store(client, store, role):
    saved(sign_in(client, "Support"), store, logo=picture())
    client.logout()
    if role:
        sign_in(client, role)
    expected = 200 if role in CHANGING else 403 if role else 302
    assert client.get(f"{page_of_store(store)}logo/").status_code == expected
    assert client.get(f"{page_of_store(store)}preview/").status_code == expected


def test_a_deleted_store_takes_its_logo_along(client, store, django_capture_on_commit_callbacks):
    sign_in(client, is_superuser=True)
    file = saved(client, store, logo=picture()).brand_logo
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{page_of_store(store)}delete/", {"post": "yes"})
    assert not Store.objects.exists() and not file.storage.exists(file.name)


# -- sender


def test_r61_the_sender_shown_is_confirmed_and_the_page_says_by_whom(support, store):
    text = shown(support, store)
    assert "service@orderhub.test" in text and "not confirmed" in text
    assert 'href="https://sellercentral.amazon.com/"' in text
    assert "I have added service@orderhub.test in Seller Central" in text
    text = pressed(support, store, "confirm-sender")
    assert "Kept: service@orderhub.test is an approved sender." in text and "20 Nov 2026, 12:00 UTC, sofia" in text
    assert "I have added" not in text
    entry = LogEntry.objects.get(object_id=store.pk)
    assert entry.get_change_message() == "Changed Sender of mails: approved sender."


def test_r61_what_is_typed_beside_the_button_is_saved_and_is_the_address_that_is_confirmed(support, store):
    text = pressed(support, store, "confirm-sender", brand_from_email="returns@lake.example", brand_phone="+33 4 00")
    assert "Kept: returns@lake.example is an approved sender." in text
    after = Store.objects.get()
    assert (after.approved_sender, after.brand_phone) == ("returns@lake.example", "+33 4 00")


def test_r61_an_address_nobody_saw_is_not_confirmed(support, store, settings):
    shown_before = store.sender
    settings.DEFAULT_FROM_EMAIL = "hub@orderhub.test"
    assert "it is hub@orderhub.test now" in pressed(support, store, "confirm-sender", shown_sender=shown_before)
    own = saved(support, store, brand_from_email="returns@lake.example")
    text = pressed(support, own, "confirm-sender", brand_from_email="")
    assert "it is hub@orderhub.test now" in text and not Store.objects.get().approved_sender


def test_r61_a_confirmation_is_withdrawn_on_the_page(support, store):
    assert "Withdraw the confirmation" not in shown(support, store)
    assert "Withdraw the confirmation" in pressed(support, store, "confirm-sender")
    text = pressed(support, store, "withdraw-sender", brand_phone="+33 4 00")
    assert "The confirmation is withdrawn" in text and "I have added service@orderhub.test" in text
    after = Store.objects.get()
    assert (after.approved_sender, after.brand_phone) == ("", "+33 4 00")


def test_r61_another_address_voids_the_confirmation_where_everybody_sees_it(support, store, noon):
    senders.confirm_sender(store, "service@orderhub.test", by=make_user("Support"), now=noon)
    after = saved(support, store, brand_from_email="returns@lake.example")
    assert (after.approved_sender, after.sender_approved) == ("", False)
    text = shown(support, store)
    assert "not confirmed" in text
    assert "I have added returns@lake.example in Seller Central" in text
    assert not saved(support, after, brand_from_email="").sender_approved  # not even if it comes back


def test_r61_another_default_of_the_service_voids_the_confirmation_where_everybody_sees_it(
    support, store, noon, settings
):
    senders.confirm_sender(store, "service@orderhub.test", by=make_user("Support"), now=noon)
    settings.DEFAULT_FROM_EMAIL = "hub@orderhub.test"
    text = shown(support, store)
    assert "What was confirmed on 20 Nov 2026, 12:00 UTC was another address, service@orderhub.test" in text


def test_r61_an_address_that_changed_since_the_page_was_opened_is_refused(support, store):
    seen = re.search(r'name="as_loaded" value="(\w+)"', shown(support, store))[1]
    saved(support, store, brand_from_email="returns@lake.example")
    text = pressed(support, store, "confirm-sender", as_loaded=seen)
    assert "Somebody else changed these settings meanwhile" in text
    assert not Store.objects.get().approved_sender


def test_what_is_typed_and_refused_does_not_become_the_address_to_confirm(support, store):
    text = refused(support, store, brand_from_email="new@lake.example", ship_from_country="1!")
    assert 'name="shown_sender" value="service@orderhub.test"' in text
    assert "I have added service@orderhub.test in Seller Central" in text


@pytest.mark.parametrize(
    ("source", "host"), [("FR", "sellercentral-europe.amazon.com"), ("JP", "sellercentral.amazon.co.jp")]
)
def test_the_link_leads_to_the_seller_central_of_the_store(support, noon, source, host):
    seller = scenarios.EU if source == "FR" else scenarios.JP
    assert f'href="https://{host}/"' in shown(support, make_store(source, account=make_account(seller)))


# -- notice to Amazon


def test_f10b_the_page_predicts_when_amazon_is_told_and_asks_without_any_effect(support, store):
    assert "told to Amazon at about 20 Nov 2026, 12:00 UTC" in shown(support, store)
    saved(support, store, notify_when="delay", notify_delay_minutes="240")
    assert "told to Amazon at about 20 Nov 2026, 16:00 UTC" in shown(support, store)
    assert not RateBucket.objects.exists()
    saved(support, store, notify_when="label", notify_delay_minutes="240")
    plan = {"rate": CONFIRM_SHIPMENT.rate, "burst": CONFIRM_SHIPMENT.burst}
    AccountThrottle(store.account).refused(CONFIRM_SHIPMENT.name, retry_after_s=1800, **plan)
    assert "told to Amazon at about 20 Nov 2026, 12:30 UTC" in shown(support, store)


def test_f10b_never_and_a_stopped_account_are_said_in_words(support, store):
    saved(support, store, notify_when="never")
    assert "Amazon is told nothing. Each parcel must be confirmed in Seller Central" in shown(support, store)
    saved(support, store, notify_when="label")
    AmazonAccount.objects.update(status="revoked")
    assert "Amazon is told nothing while the account does not work." in shown(support, store)


@pytest.mark.parametrize("minutes", ["", "0", "1441", "-5", "1.5", "soon"])
def test_f10b_a_delay_has_1_to_1440_minutes(support, store, minutes):
    text = refused(support, store, notify_when="delay", notify_delay_minutes=minutes)
    assert 'class="field-notify_delay_minutes errors"' in text


def test_f10b_minutes_are_forgotten_where_no_delay_is_chosen(support, store):
    assert saved(support, store, notify_when="delay", notify_delay_minutes="1440").notify_delay_minutes == 1440
    assert saved(support, store, notify_when="never", notify_delay_minutes="99999").notify_delay_minutes is None


def test_a_policy_we_do_not_know_is_refused(support, store):
    refused(support, store, notify_when="tomorrow")
    refused(support, store, product_title_policy="sometimes")


# -- statuses


def rows(*given: tuple, kept: int = 0) -> dict:
    """The status map as its table posts it: name, meaning, id of the row or None, and whether it is to go."""
    typed = {"status_map-TOTAL_FORMS": len(given), "status_map-INITIAL_FORMS": kept}
    for number, (name, status, pk, *more) in enumerate(given):
        prefix = f"status_map-{number}"
        typed |= {f"{prefix}-name": name, f"{prefix}-status": status, f"{prefix}-id": pk or ""}
        typed |= {f"initial-{prefix}-name": more[0]} if more and isinstance(more[0], str) else {}
        typed |= {f"{prefix}-DELETE": "on"} if True in more else {}
    return typed


def meanings(store) -> dict[str, str]:
    return dict(store.status_map.values_list("name", "status"))


def test_r40_what_waits_without_a_meaning_is_offered_and_mapped(support, store):
    for _order in range(2):
        make_order(store, status="on_hold", custom_status="BACKORDERED")
    before = AmazonAccount.objects.get()
    text = shown(support, store)
    assert 'value="BACKORDERED"' in text and "2 orders wait" in text
    saved(support, store, **rows(("  BACKORDERED ", "pending_fulfillment", None, "BACKORDERED"), ("", "", None)))
    assert meanings(store) == {"BACKORDERED": "pending_fulfillment"}
    after = AmazonAccount.objects.get()
    assert (after.epoch, after.next_poll_at) == (before.epoch + 1, None)
    assert "orders wait" not in shown(support, store)


def test_r40_an_offer_nobody_takes_up_may_stay_and_nothing_is_read_again(support, store):
    make_order(store, status="on_hold", custom_status="BACKORDERED")
    saved(support, store, **rows(("BACKORDERED", "", None, "BACKORDERED"), ("", "", None)), brand_name="Lake")
    assert meanings(store) == {} and AmazonAccount.objects.get().epoch == 0


def test_r40_a_meaning_is_changed_and_removed(support, store):
    row = MarketplaceStatus.objects.create(store=store, name="A", status="on_hold")
    saved(support, store, **rows(("A", "cancelled", row.pk), kept=1))
    assert meanings(store) == {"A": "cancelled"} and AmazonAccount.objects.get().epoch == 1
    saved(support, store, **rows(("A", "cancelled", row.pk, True), kept=1))
    assert meanings(store) == {} and AmazonAccount.objects.get().epoch == 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([("UNSHIPPED", "on_hold", None)], "UNSHIPPED is Amazon&#x27;s own status"),
        ([(" shipped", "on_hold", None)], "shipped is Amazon&#x27;s own status"),
        ([("A", "", None)], "Choose what this status means."),
        ([("", "on_hold", None)], "This field is required."),
        ([("   ", "on_hold", None)], "This field is required."),
        ([("A", "teleported", None)], "Select a valid choice"),
        ([("x" * 41, "on_hold", None)], "at most 40 characters"),
        ([("A", "on_hold", None), ("a", "cancelled", None)], "a stands here twice"),
        ([("A", "on_hold", None), ("A", "on_hold", None)], "A stands here twice"),
    ],
)
def test_r40_a_row_that_cannot_stand_is_refused_with_a_sentence(support, store, given, sentence):
    assert sentence in refused(support, store, **rows(*given))
    assert meanings(store) == {}


def test_b01_a_row_of_another_store_cannot_be_changed_or_removed(support, store):
    other = make_store("CA", account=store.account)
    row = MarketplaceStatus.objects.create(store=other, name="A", status="on_hold")
    for given in (("B", "cancelled", row.pk), ("A", "on_hold", row.pk, True)):
        support.post(f"{page_of_store(store)}change/", settings_of(store, **rows(given, kept=1)))
        assert meanings(other) == {"A": "on_hold"}


# -- features and custom fields


def test_a_grant_stands_in_the_history_without_its_reason(client, store):
    sign_in(client, "Customer success")
    for enabled in ("on", "off"):
        wish = {"feature": "custom_fields", "enabled": enabled, "reason": "a secret reason"}
        client.post(f"{page_of_store(store)}grant/", wish)
    told = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert told == ["Changed Features: custom fields enabled.", "Changed Features: custom fields disabled."]


def test_who_may_enable_a_feature_is_told_where_and_hears_which(client, store):
    text = shown(sign_in(client, "Customer success"), store)
    assert "Enable them in the Features card." in text and "not enabled for this store. Ask customer" not in text
    assert 'aria-label="Reason: custom fields"' in text and 'aria-label="Enable: custom fields"' in text


def test_r15_the_page_says_what_disabling_forgets_before_it_does(client, store):
    sign_in(client, "Customer success")
    enable(store)
    client.post(
        f"{page_of_store(store)}custom-fields/", {"custom_field_1": "order_number", "custom_field_3": "business_order"}
    )
    assert Store.objects.get().mapping == ("order_number", "", "business_order")
    assert "Disabling forgets what the fields hold now: order number, business order." in shown(client, store)
    client.post(f"{page_of_store(store)}grant/", {"feature": "custom_fields", "enabled": "off", "reason": "ended"})
    after = Store.objects.get()
    assert (after.custom_fields_enabled, after.mapping) == (False, ("", "", ""))


def posted(client, store, **given) -> str:
    return client.post(f"{page_of_store(store)}custom-fields/", given, follow=True).content.decode()


def test_r31_r32_support_maps_three_of_seven_and_is_told_why_not_more(support, store):
    assert "Custom fields are not enabled for this store." in posted(support, store, custom_field_1="order_number")
    enable(store)
    assert "The custom fields are mapped." in posted(support, store, custom_field_2="service_level")
    assert "1, 2 and 3. A fourth cannot be mapped" in posted(support, store, custom_field_4="order_number")
    assert "one of these seven only" in posted(support, store, custom_field_1="buyer_name")
    assert Store.objects.get().mapping == ("", "service_level", "")
    assert "custom field 1" in LogEntry.objects.get().get_change_message()


@pytest.mark.parametrize("given", [{"is_superuser": True}, {"roles": ["Administrator"]}])
def test_r15_who_has_the_page_but_not_the_role_maps_nothing(client, store, given):
    enable(store)
    given = dict(given)
    sign_in(client, *given.pop("roles", []), **given)
    assert "Only support and customer success" in posted(client, store, custom_field_1="order_number")
    assert Store.objects.get().mapping == ("", "", "")
    assert "Save the mapping" not in shown(client, store)


def test_a_mapping_is_looked_at_before_it_is_saved_by_an_address_that_holds_no_value(support, store):
    order = make_order(enable(store), person={"purchase_order_number": "PO-4711"})
    address = f"{page_of_store(store)}custom-fields/"
    wish = {"preview": "1", "custom_field_1": "purchase_order_number", "custom_field_2": "buyer_name"}
    answer = support.post(address, wish)
    query = "?custom_field_1=purchase_order_number&custom_field_2=&custom_field_3="
    assert answer.url == f"{page_of_store(store)}change/{query}#custom-fields"
    text = shown(support, store, query)
    assert "PO-4711" in text and order.order_number in text and "the mapping is not saved yet" in text
    assert list(AccessLog.objects.values_list("order_id", "what")) == [(order.pk, "custom field preview")]
    assert Store.objects.get().mapping == ("", "", "")


def test_without_being_asked_the_page_shows_no_purchase_order_number(support, store):
    make_order(enable(store), person={"purchase_order_number": "PO-4711"})
    posted(support, store, custom_field_1="purchase_order_number")
    assert "PO-4711" not in shown(support, store) and not AccessLog.objects.exists()


def test_others_see_that_the_number_is_hidden(client, store):
    make_order(enable(store), person={"purchase_order_number": "PO-4711"})
    text = shown(sign_in(client, "Customer success"), store, "?custom_field_1=purchase_order_number")
    assert "PO-4711" not in text and "<td>hidden</td>" in text and not AccessLog.objects.exists()


def test_nothing_is_previewed_before_the_feature_is_enabled(support, store):
    make_order(store, person={"purchase_order_number": "PO-4711"})
    assert "PO-4711" not in shown(support, store, "?custom_field_1=purchase_order_number")


# -- preview


def test_f10a_the_preview_shows_the_brand_on_an_invented_order(support, noon):
    order = make_order(make_store(brand_name="Lake & Sons", brand_phone="+33 4 00", brand_site="https://lake.example"))
    support.post(f"{page_of_store(order.store)}change/", settings_of(
        order.store, logo=picture(), ship_from_street1="8 rue Exemple", ship_from_city="Annecy", ship_from_country="FR",
    ))  # fmt: skip
    text = support.get(f"{page_of_store(order.store)}preview/").content.decode()
    for piece in (
        "SAMPLE", "Lake &amp; Sons", "+33 4 00", "https://lake.example", "8 rue Exemple", "Annecy",
        f"{page_of_store(order.store)}logo/", "000-0000000-0000000", "Lake &amp; Sons &lt;service@orderhub.test&gt;",
        "The only mail OrderHub sends for Amazon orders", "This mail is not sent yet",
    ):  # fmt: skip
        assert piece in text, piece
    for real in (order.order_number, "Ada Example", "Sample product 1", "1 Sample Street, "):
        assert real not in text
    assert not AccessLog.objects.exists()


def test_f49_the_preview_says_when_the_sender_is_approved(support, store, noon):
    senders.confirm_sender(store, "service@orderhub.test", by=make_user("Support"), now=noon)
    text = support.get(f"{page_of_store(store)}preview/").content.decode()
    assert "approved" in text and "This mail is not sent yet" not in text
