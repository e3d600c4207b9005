"""The panel for an address in Roman characters, and what the ship form says where there is none."""

import logging

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from orders import roman
from orders.models import Order, OrderPersonalData
from privacy import access, erasure
from privacy.models import AccessLog
from shipments.models import Label, Shipment
from tests.factories import make_order, make_shipment, make_store, make_user
from tests.orders.test_roman import KANJI, ROMAN

pytestmark = pytest.mark.django_db
SHIP = reverse("admin:shipments_ship")
TITLE = "Address in Roman characters"
NEEDED = "no label can be made yet"
UNLABELLED = "Ship without a label"
WAITS = "Address to be written in Roman characters"
MAY_WRITE = {access.SUPPORT}
ORIGINALS = [value for name, value in KANJI.items() if name not in {"postal_code", "country"}]


@pytest.fixture
def support(client, noon):
    user = make_user(access.SUPPORT)
    client.force_login(user)
    return user


def _page(order) -> str:
    return reverse("admin:orders_order_change", args=[order.pk])


def _url(order) -> str:
    return reverse("admin:orders_order_romanise", args=[order.pk])


def _html(client, order) -> str:
    answer = client.get(_page(order))
    assert answer.status_code == 200
    return answer.content.decode()


def _twins(order) -> dict[str, str]:
    person = OrderPersonalData.objects.get(pk=order.pk)
    return {name: getattr(person, name) for name in ROMAN}


BLANK = dict.fromkeys(ROMAN, "")


# ---- who sees what


@pytest.mark.parametrize("role", list(access.ROLES))
def test_only_support_may_write_it_and_everybody_is_told(client, noon, role):
    order = make_order(person=KANJI)
    client.force_login(make_user(role))
    html = _html(client, order)
    assert TITLE in html and NEEDED in html
    assert ("roman-romanised_name" in html) == (role in MAY_WRITE) == ("Support fills it in" not in html)
    code = client.post(_url(order), ROMAN).status_code
    assert (code, _twins(order)) == ((302, ROMAN) if role in MAY_WRITE else (403, BLANK))


def test_a_superuser_sees_no_person_and_writes_none(client, noon):
    order = make_order(person=KANJI)
    client.force_login(make_user(is_superuser=True))
    assert "roman-romanised_name" not in _html(client, order)
    assert client.post(_url(order), ROMAN).status_code == 403
    assert _twins(order) == BLANK


def test_a_stranger_is_sent_to_the_login(client, noon):
    order = make_order(person=KANJI)
    assert "login" in client.post(_url(order), ROMAN).url
    assert _twins(order) == BLANK


def test_it_is_a_post_with_the_csrf_token_only(client, support):
    from django.test import Client

    order, strict = make_order(person=KANJI), Client(enforce_csrf_checks=True)
    strict.force_login(support)
    assert client.get(_url(order), ROMAN).url == _page(order)
    assert client.put(_url(order)).status_code == 405
    assert strict.post(_url(order), ROMAN).status_code == 403
    assert client.post(reverse("admin:orders_order_romanise", args=[order.pk + 1]), ROMAN).status_code == 404
    assert _twins(order) == BLANK


def test_the_view_of_the_original_is_logged_once_a_page(client, support):
    order = make_order(person=KANJI)
    _html(client, order)
    assert list(AccessLog.objects.values_list("user", "order_id", "what")) == [(support.pk, order.pk, "order page")]


@pytest.mark.parametrize(
    "given", [{"fulfilled_by": "AFN"}, {"pii_state": "redacting"}, {"status": "cancelled"}, {"status": "shipped"}]
)
def test_it_is_not_offered_where_nothing_can_be_sent(client, support, given):
    order = make_order(**given) if "fulfilled_by" in given else make_order(person=KANJI, **given)
    OrderPersonalData.objects.filter(pk=order.pk).update(city="札幌市")
    assert TITLE not in _html(client, order)


def test_an_address_carriers_can_read_has_no_panel(client, support):
    assert TITLE not in _html(client, make_order())


# ---- filling it in


def test_each_original_stands_unchanged_beside_its_field(client, support):
    html = _html(client, make_order(person=KANJI))
    panel = html.partition('id="roman"')[2].partition("</section>")[0]
    for value in ORIGINALS:  # R16
        assert f' lang="ja">{value}</td>' in panel and value in html.partition('id="to-title"')[2]
    assert panel.count('autocomplete="off"') == 6 and panel.count('lang="ja-Latn"') == 5
    assert "romanised_company" not in panel and "romanised_street3" not in panel
    assert "Write it with the city or the street" in panel


def test_a_field_carriers_can_read_may_stay_empty(client, support):
    order = make_order(person=KANJI | {"street1": "3-13-16", "recipient_company": "ABC"})
    html = _html(client, order)
    assert html.count("may stay empty: carriers can read it") == 2
    client.post(_url(order), ROMAN | {"romanised_street1": ""})
    assert roman.missing(OrderPersonalData.objects.get(pk=order.pk)) == []


def test_once_saved_both_addresses_are_shown_and_it_can_be_edited(client, support):
    order = make_order(person=KANJI)
    html = client.post(_url(order), ROMAN, follow=True).content.decode()
    assert f"{order.order_number}: The address in Roman characters is saved." in html
    assert NEEDED not in html and "<details>" in html and "Ship this order" in html and UNLABELLED not in html
    right = html.partition('id="to-title"')[2].partition("</section>")[0]
    assert [value for value in (*ORIGINALS, *ROMAN.values()) if value not in right] == []
    for_label = right.partition("for the label")[2]
    assert KANJI["postal_code"] in for_label and ">JP</dd>" in for_label
    assert not [value for value in ORIGINALS if value in for_label]
    assert f'Address written in Roman characters <span class="oh-quiet">by {support.username}</span>' in html
    html = client.post(_url(order), ROMAN | {"romanised_name": "Hinano T."}, follow=True).content.decode()
    assert 'value="Hinano T."' in html


def test_the_address_for_the_label_holds_what_carriers_could_read_already(client, support):
    order = make_order(person=KANJI | {"street1": "３-13-16", "district": "Chuo", "phone": "03-0000-0101"})
    client.post(_url(order), ROMAN | {"romanised_street1": ""})
    for_label = _html(client, order).partition("In Roman characters, for the label")[2].partition("</section>")[0]
    assert ">3-13-16</dd>" in for_label and ">Chuo</dd>" in for_label
    assert "romanised_street1" not in for_label and "<dt>Street</dt>" in for_label


def test_errors_stand_at_their_fields_with_what_was_typed(client, support):
    order = make_order(person=KANJI)
    typed = ROMAN | {"romanised_name": "月守 <b>Hinano", "romanised_state": "", "romanised_street2": "x" * 121}
    answer = client.post(_url(order), typed)
    html = answer.content.decode()
    assert answer.status_code == 200 and _twins(order) == BLANK
    for name, sentence in (
        ("name", "Recipient: use Roman letters only"), ("state", "State: write it in Roman characters."),
        ("street2", "Street (2): at most 120 characters."),
    ):  # fmt: skip
        assert f'aria-describedby="roman-romanised_{name}-error"' in html
        assert sentence in html.partition(f'id="roman-romanised_{name}-error"')[2][:120]
    assert 'value="月守 &lt;b&gt;Hinano"' in html and 'value="Kita 1-jo Nishi, Chuo-ku, Sapporo-shi"' in html
    assert "Nothing was saved" in html and "aria-invalid" in html
    assert html.count("aria-invalid") == 3
    assert not list(answer.context["messages"])


def test_an_address_erased_while_somebody_types_is_not_written(client, support, noon):
    order = make_order(person=KANJI, redaction_due_at=noon)
    erasure.redact_due(now=noon)
    html = client.post(_url(order), ROMAN, follow=True).content.decode()
    assert f"The address of order {order.order_number} was erased on schedule." in html
    assert _twins(order) == BLANK
    assert TITLE not in html and not [value for value in ROMAN.values() if value in html]


def test_an_erased_address_shows_the_marker_in_both_spellings(client, support, noon):
    order = make_order(person=KANJI | ROMAN, redaction_due_at=noon)
    erasure.redact_due(now=noon)
    html = _html(client, order)
    assert html.count("« EXPURGÉ (Amazon) »") == 5 + len(ROMAN)  # name, two streets, phone, buyer
    assert TITLE not in html and KANJI["city"] in html


def test_the_address_is_in_no_message_log_url_or_history(client, support, caplog):
    caplog.set_level(logging.DEBUG)
    order = make_order(person=KANJI)
    wrong, right = client.post(_url(order), ROMAN | {"romanised_name": "月守"}), client.post(_url(order), ROMAN)
    told = [str(message) for message in client.get(_page(order)).context["messages"]]
    assert len(told) == 1
    events = [str(row) for row in order.events.values_list("kind", "params")]
    logged = [
        record.getMessage() + str(record.__dict__) for record in caplog.records if record.name != "django.db.backends"
    ]
    seen = " ".join([*told, *events, *logged, right.url, str(right.headers), str(wrong.headers)])
    assert not [value for value in (*ROMAN.values(), *ORIGINALS) if value in seen]
    assert LogEntry.objects.count() == 0


def test_hostile_text_is_inert(client, support):
    order = make_order(person=KANJI | {"recipient_name": "<script>alert(1)</script>月"})
    client.post(_url(order), ROMAN | {"romanised_name": '"><script>alert(2)</script>'})
    assert "<script>alert" not in _html(client, order)


def test_the_page_has_the_same_number_of_queries_with_the_panel(client, support, django_assert_max_num_queries):
    store, counts = make_store(), []
    for person in (KANJI, KANJI | ROMAN):
        order = make_order(store, person=person)
        client.get(_page(order))
        with django_assert_max_num_queries(36) as seen:
            client.get(_page(order))
        counts.append(len(seen))
    assert counts[0] == counts[1]


# ---- the ship form


def _typed(*orders, **changes) -> dict:
    row = {"carrier": "seino", "service": "", "tracking_number": "1234567890", "ship_date": "2026-11-20"} | changes
    return {f"o{order.pk}-{name}": f"{value}" for order in orders for name, value in row.items()}


def _ship(*orders) -> str:
    return f"{SHIP}?ids={','.join(str(order.pk) for order in orders)}"


@pytest.mark.parametrize("role", [access.SUPPORT, access.WAREHOUSE])
def test_r17_each_row_says_so_before_anything_is_typed(client, noon, role):
    store = make_store()
    kanji, plain = make_order(store, person=KANJI), make_order(store)
    client.force_login(make_user(role))
    html = client.get(_ship(kanji, plain)).content.decode()
    assert html.count("is not in Roman characters.") == 1
    assert f"The address of order {kanji.order_number} is not in Roman characters." in html
    assert ("Fill in the address" in html) == (role in MAY_WRITE) == ("Support fills it in." not in html)
    assert (f'href="{_page(kanji)}#roman" target="_blank" rel="noopener"' in html) == (role in MAY_WRITE)
    shown = {KANJI["city"]}  # the place is told on the form, the person is not
    assert not [value for value in ORIGINALS if value in html and value not in shown]
    assert not AccessLog.objects.exists()


def test_r17_the_row_is_refused_keeps_what_was_typed_and_leaves_without_a_label(client, support):
    store = make_store()
    kanji, plain = make_order(store, person=KANJI), make_order(store)
    answer = client.post(_ship(kanji, plain), _typed(kanji, plain))
    html = answer.content.decode()
    assert f"The address of order {kanji.order_number} is not in Roman characters, which carriers cannot read." in html
    assert 'value="1234567890"' in html and answer.context["ids"] == str(kanji.pk)
    assert list(Shipment.objects.values_list("order", flat=True)) == [plain.pk]
    client.post(_ship(kanji), _typed(kanji, no_label="on"))
    assert Order.objects.get(pk=kanji.pk).status == "shipped"
    assert list(Label.objects.values_list("shipment__order", flat=True)) == [plain.pk]


def test_r17_once_filled_in_the_note_is_gone_and_the_label_is_made(client, support):
    order = make_order(person=KANJI)
    client.post(_url(order), ROMAN, follow=True)
    assert "Roman characters" not in client.get(_ship(order)).content.decode()
    client.post(_ship(order), _typed(order))
    assert Label.objects.get().shipment.order_id == order.pk


def _ship_panel(client, order) -> str:
    return _html(client, order).partition('id="ship-title"')[2].partition("</section>")[0]


@pytest.mark.parametrize("role", [access.SUPPORT, access.WAREHOUSE])
def test_r17_before_the_address_is_written_the_order_page_ships_without_a_label_only(client, noon, role):
    order = make_order(person=KANJI)
    client.force_login(make_user(role))
    panel = _ship_panel(client, order)
    assert ("Write the address in Roman characters first" in panel) == (role in MAY_WRITE)
    assert ("Support writes the address in Roman characters first" in panel) == (role not in MAY_WRITE)
    before, _details, fields = panel.partition("<details>")
    assert f"<summary>{UNLABELLED}</summary>" in fields and "<input" not in before and "Ship this order<" not in fields
    assert f'<input type="hidden" name="o{order.pk}-no_label" value="on">' in fields and "checkbox" not in fields


def test_r17_what_that_form_sends_leaves_without_a_label_and_a_slip_keeps_the_choice(client, support):
    order = make_order(person=KANJI)
    html = client.post(_ship(order), _typed(order, no_label="on", tracking_number="")).content.decode()
    assert "Type the tracking number of order" in html and f'id="id_o{order.pk}-no_label" checked' in html
    client.post(_ship(order), _typed(order, no_label="on"))
    assert (Shipment.objects.count(), Label.objects.count()) == (1, 0)


def test_orders_that_need_no_roman_address_keep_the_usual_form(client, support):
    order = make_order()
    panel = _ship_panel(client, order)
    assert "Ship this order<" in panel and 'type="checkbox"' in panel and UNLABELLED not in panel
    assert UNLABELLED not in _ship_panel(client, make_shipment(make_order(order.store)).order)


# ---- waiting for it


def _hold(order) -> str:
    return reverse("admin:orders_order_hold", args=[order.pk])


def _roman_panel(client, order) -> str:
    return _html(client, order).partition('id="roman"')[2].partition("</section>")[0]


@pytest.mark.parametrize("role", list(access.ROLES))
def test_those_who_cannot_write_it_hold_the_order_until_it_is_written(client, noon, role):
    order = make_order(person=KANJI)
    client.force_login(make_user(role))
    offered = _hold(order) in _roman_panel(client, order)
    assert offered == (role in {access.WAREHOUSE, access.SUCCESS})
    if offered:
        html = client.post(_hold(order), {"reason": "roman"}, follow=True).content.decode()
        order.refresh_from_db()
        assert (order.status, order.hold_reason) == ("on_hold", WAITS)
        assert f"Put on hold ({WAITS})" in html  # on the timeline
        assert html.count("It is released as soon as the address is written.") == 1
        assert "Release the hold above first" not in html and _hold(order) not in html


def test_the_reason_is_offered_only_where_the_address_needs_it(client, support):
    store = make_store()
    assert '<option value="roman">' in _html(client, make_order(store, person=KANJI))
    assert '<option value="roman">' not in _html(client, make_order(store))


def test_an_order_held_for_its_address_is_released_once_it_is_written(client, support):
    order = make_order(person=KANJI, status="on_hold", hold_reason=WAITS)
    html = client.post(_url(order), ROMAN | {"romanised_name": ""}).content.decode()
    order.refresh_from_db()
    assert order.status == "on_hold" and "Nothing was saved" in html
    html = client.post(_url(order), ROMAN, follow=True).content.decode()
    order.refresh_from_db()
    assert (order.status, order.hold_reason) == ("awaiting_shipment", "")
    assert "is saved, and the order is released from hold." in html
    assert list(order.events.order_by("pk").values_list("kind", "actor")) == [
        ("romanised", support.pk), ("released", support.pk),
    ]  # fmt: skip


def test_an_order_held_for_another_reason_stays_held_once_it_is_written(client, support):
    order = make_order(person=KANJI, status="on_hold", hold_reason="Out of stock")
    html = client.post(_url(order), ROMAN, follow=True).content.decode()
    order.refresh_from_db()
    assert (order.status, order.hold_reason) == ("on_hold", "Out of stock")
    assert "The address in Roman characters is saved." in html


def test_a_second_save_of_the_same_address_also_ends_the_wait(client, support):
    order = make_order(person=KANJI | ROMAN, status="on_hold", hold_reason=WAITS)
    client.post(_url(order), ROMAN)
    assert Order.objects.get(pk=order.pk).status == "awaiting_shipment"
    assert list(order.events.values_list("kind", flat=True)) == ["released"]


@pytest.mark.parametrize("role", list(access.ROLES))
def test_the_start_page_counts_them_for_those_who_decide_and_leads_to_them(client, noon, role):
    store, waits = make_store(), {"person": KANJI, "status": "on_hold", "hold_reason": WAITS}
    client.force_login(make_user(role))
    held = make_order(store, status="on_hold", hold_reason="Out of stock", person=KANJI)

    def cards() -> list:
        board = client.get(reverse("admin:index")).context["board"]
        return [card for card in board.cards if card.title == "Addresses to write in Roman characters"]

    assert held and cards() == []  # no card where there is no such order
    waiting = [make_order(store, **waits), make_order(store, **waits)]
    make_order(store, **waits | {"pii_state": "redacting"})  # nothing is left to be written
    found = cards()
    assert bool(found) == (role in {access.SUPPORT, access.SUCCESS})
    if found:
        rows = client.get(found[0].url).context["cl"]
        assert (found[0].count, {row.pk for row in rows.result_list}) == (2, {order.pk for order in waiting})


def test_counting_them_takes_no_query_more(client, support, django_assert_max_num_queries):
    store, counts = make_store(), []
    for _round in range(2):
        client.get(reverse("admin:index"))
        with django_assert_max_num_queries(20) as seen:
            client.get(reverse("admin:index"))
        counts.append(len(seen))
        make_order(store, person=KANJI, status="on_hold", hold_reason=WAITS)
    assert counts[0] == counts[1]


def test_the_form_has_the_same_number_of_queries_for_5_and_25_of_them(client, support, django_assert_max_num_queries):
    store, counts = make_store(), []
    orders = [make_order(store, person=KANJI) for _each in range(25)]
    client.get(_ship(*orders))
    for some in (orders[:5], orders):
        with django_assert_max_num_queries(15) as seen:
            assert client.get(_ship(*some)).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
