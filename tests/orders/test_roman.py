"""R16, R17: addresses in Roman characters beside what Amazon sent, and no label without them."""

import io
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from pypdf import PdfReader

from orderhub import clock
from orderhub.errors import RuleViolation
from orders import roman
from orders.models import Order, OrderEvent, OrderPersonalData
from orders.models.person import ERASED
from orders.personal_data import PERSONS
from privacy import markers
from shipments import labelling
from shipments.models import Label, Shipment, ShipmentNotification
from stores.simulator import scenarios
from stores.simulator.orders import SimAddress
from tests.conftest import NOON
from tests.factories import connect, make_order, make_shipment, make_store, make_user
from tests.orders.driving import import_now
from tests.privacy.rows import bytes_of, file_of, sweep, text_of

pytestmark = pytest.mark.django_db
KANJI = {
    "recipient_name": "月守 ひなの",
    "street1": "３丁目13番16号",
    "street2": "コーポ月見101号室",
    "city": "札幌市中央区",
    "district": "北一条西",
    "state": "北海道",
    "postal_code": "060-0001",
    "country": "JP",
}
ROMAN = {
    "romanised_name": "Hinano Tsukimori",
    "romanised_street1": "3-13-16",
    "romanised_street2": "Corpo Tsukimi 101",
    "romanised_city": "Kita 1-jo Nishi, Chuo-ku, Sapporo-shi",
    "romanised_state": "Hokkaido",
}
KEPT_BLANK = {"romanised_company": "", "romanised_street3": ""}


@pytest.fixture
def order(noon) -> Order:
    return make_order(person=KANJI)


@pytest.fixture
def agent(noon):
    return make_user("Support")


def person_of(order: Order) -> OrderPersonalData:
    return OrderPersonalData.objects.get(pk=order.pk)


def twins_of(order: Order) -> dict[str, str]:
    return {name: getattr(person_of(order), name) for name in roman.TWINS.values()}


def unsaved(**fields) -> OrderPersonalData:
    return OrderPersonalData(**fields)


# ---- what carriers can read


@pytest.mark.parametrize(
    "text",
    [
        "", "Ada Example", "12 bis, rue de l'Épée (3ᵉ étage)", "Łódź", "Straße 5", "Đường Lê Lợi", "İstanbul", "Þórshöfn",
        "3½ O’Neil St. #4 – c/o “Foo”", "ＡＢＣ　１２３", "Kapiʻolani Blvd", "№ 5 & 6 / 7_8 @ €", "cafe\u0301", "Ⅷ", "",
    ],
)  # fmt: skip
def test_latin_letters_in_any_dress_are_roman(text):
    assert roman.is_roman(text)


@pytest.mark.parametrize(
    "text",
    [
        "東京都", "ひなの", "カイト", "ｶｲﾄ", "3丁目", "1ー2", "〒150", "서울", "Москва", "Αθήνα", "שלום", "عمان", "٣", "กรุงเทพ",
        "Ada 🦊", "Tokyo 都", "\ue000", "㈱", "Аda",
    ],
)  # fmt: skip
def test_other_scripts_are_not_however_little_of_them(text):
    assert not roman.is_roman(text)


@pytest.mark.parametrize(("name", "twin"), roman.TWINS.items())
def test_a_field_that_is_not_roman_needs_its_twin_and_a_roman_one_does_not(name, twin):
    assert roman.missing(unsaved(**{name: "東京"})) == [twin]
    assert roman.missing(unsaved(**{name: "東京", twin: "Tokyo"})) == []
    assert roman.missing(unsaved(**{name: "東京", twin: "東京"})) == [twin]
    assert roman.missing(unsaved(**{name: "Tokyo"})) == []


def test_phone_and_buyer_are_on_no_address_and_need_none():
    assert (
        roman.missing(unsaved(buyer_name="月守", phone="〇三", gift_message="お誕生日", postal_code="〒150-0002")) == []
    )


@pytest.mark.parametrize("twin", ["romanised_city", "romanised_street1", "romanised_street2", "romanised_street3"])
def test_a_district_is_told_with_the_city_or_a_street(twin):
    assert roman.missing(unsaved(district="北一条西")) == ["romanised_city"]
    assert roman.missing(unsaved(district="北一条西", **{twin: "Kita 1-jo Nishi"})) == []
    assert roman.missing(unsaved(district="北一条西", romanised_name="Hinano")) == ["romanised_city"]
    assert roman.missing(unsaved(district="Centro")) == []


def test_a_label_uses_each_twin_where_it_is_set_and_leaves_out_what_it_covers():
    told = roman.ship_to(unsaved(**KANJI, **ROMAN, recipient_company="ABC", phone="０３-0000"))
    assert told == {
        "name": "Hinano Tsukimori", "company": "ABC", "street1": "3-13-16", "street2": "Corpo Tsukimi 101", "street3": "",
        "city": "Kita 1-jo Nishi, Chuo-ku, Sapporo-shi", "state": "Hokkaido", "district": "", "postal_code": "060-0001",
        "country": "JP", "phone": "03-0000",
    }  # fmt: skip


def test_a_district_carriers_can_read_stays_on_the_label():
    """Else a name in kanji would take a part of a Roman address away."""
    told = roman.ship_to(unsaved(recipient_name="月守", romanised_name="Tsukimori", district="Centro", city="Mérida"))
    assert (told["name"], told["district"], told["city"]) == ("Tsukimori", "Centro", "Mérida")


def test_without_twins_a_label_uses_what_amazon_sent():
    told = roman.ship_to(unsaved(**KANJI))
    assert {name: told[name] for name in ("name", "district", "city")} == {
        "name": KANJI["recipient_name"], "district": KANJI["district"], "city": KANJI["city"],
    }  # fmt: skip


def test_full_width_letters_become_narrow_on_a_label_and_fractions_stay():
    told = roman.ship_to(unsaved(street1="１－２－３　Ｕｍｅｄａ", street2="3½ Lane"))
    assert (told["street1"], told["street2"]) == ("1-2-3 Umeda", "3½ Lane")


# ---- writing it


def test_r16_writing_changes_no_original(order, agent, noon):
    roman.write(order, ROMAN, by=agent, now=noon)
    person = person_of(order)
    assert {name: getattr(person, name) for name in KANJI} == KANJI
    assert twins_of(order) == ROMAN | KEPT_BLANK


def test_the_timeline_says_who_wrote_it_and_no_value(order, agent, noon):
    roman.write(order, ROMAN, by=agent, now=noon)
    event = order.events.get()
    assert (event.kind, event.actor, event.at, event.params) == (OrderEvent.Kind.ROMANISED, agent, noon, {})


def test_writing_the_same_again_changes_nothing(order, agent, noon):
    for _time in range(2):
        roman.write(order, ROMAN, by=agent, now=noon)
    assert order.events.count() == 1


def test_it_can_be_corrected_and_a_field_left_out_is_emptied(order, agent, noon):
    roman.write(order, ROMAN | {"romanised_street3": "Door 2"}, by=agent, now=noon)
    roman.write(order, ROMAN | {"romanised_name": "Hinano T."}, by=agent, now=noon)
    assert twins_of(order) == ROMAN | KEPT_BLANK | {"romanised_name": "Hinano T."}
    assert order.events.count() == 2


def test_what_is_typed_is_kept_tidy(order, agent, noon):
    roman.write(order, ROMAN | {"romanised_name": " Ｈｉｎａｎｏ　\u200bTsukimori\x00\n"}, by=agent, now=noon)
    assert person_of(order).romanised_name == "Hinano Tsukimori"


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({"romanised_name": "月守 Hinano"}, {"romanised_name": "Recipient: use Roman letters only"}),
        ({"romanised_state": ""}, {"romanised_state": "State: write it in Roman characters."}),
        ({"romanised_street1": "x" * 121}, {"romanised_street1": "Street: at most 120 characters."}),
        (
            {"romanised_company": "株式会社", "romanised_city": " \u3000"},
            {"romanised_company": "Company: use Roman", "romanised_city": "City: write it in Roman"},
        ),
    ],
)
def test_each_field_that_will_not_do_is_told_and_nothing_is_written(order, agent, noon, changes, sentences):
    with pytest.raises(roman.NotRoman) as caught:
        roman.write(order, ROMAN | changes, by=agent, now=noon)
    assert caught.value.fields.keys() == sentences.keys()
    assert all(caught.value.fields[name].startswith(text) for name, text in sentences.items())
    assert not [text for text in changes.values() if text.strip() and text in str(caught.value)]
    assert set(twins_of(order).values()) == {""}
    assert not order.events.exists()


def test_exactly_120_characters_fit(order, agent, noon):
    roman.write(order, ROMAN | {"romanised_street1": "x" * 120}, by=agent, now=noon)
    assert len(person_of(order).romanised_street1) == 120


def test_only_the_twins_can_be_written(order, agent, noon):
    roman.write(order, ROMAN | {"street1": "1 Other Street", "buyer_name": "Eve", "marker": "x"}, by=agent, now=noon)
    person = person_of(order)
    assert (person.street1, person.buyer_name, person.marker) == (KANJI["street1"], "Ada Example", "")


def test_orders_by_amazon_and_orders_without_a_person_are_refused(agent, noon):
    store = make_store()
    with pytest.raises(RuleViolation, match="Amazon ships order"):
        roman.write(make_order(store, fulfilled_by="AFN"), ROMAN, by=agent, now=noon)
    order = make_order(store)
    OrderPersonalData.objects.filter(pk=order.pk).delete()
    with pytest.raises(RuleViolation, match="has not sent an address"):
        roman.write(order, ROMAN, by=agent, now=noon)


def test_what_a_person_writes_is_personal_data_of_the_order(agent, noon):
    """Amazon told the town and no name: from now on there is something to erase."""
    order = make_order(person=dict.fromkeys(ERASED, "") | {"buyer_email": "", "city": "札幌市"}, pii_state="none")
    roman.write(order, {"romanised_city": "Sapporo"}, by=agent, now=noon)
    assert Order.objects.get(pk=order.pk).pii_state == "present"


# ---- erasure


@pytest.mark.parametrize("state", ["redacting", "redacted"])
def test_nothing_is_written_on_an_erased_order_whatever_the_row_in_hand_says(order, agent, noon, state):
    done = {"redacted_at": noon} if state == "redacted" else {}
    Order.objects.filter(pk=order.pk).update(pii_state=state, **done)
    with pytest.raises(RuleViolation, match="was erased on schedule"):
        roman.write(order, ROMAN, by=agent, now=noon)
    assert set(twins_of(order).values()) == {""}


def test_both_addresses_are_erased_in_the_database_and_on_the_label(agent, noon):
    order = make_order(person=KANJI)
    roman.write(order, ROMAN, by=agent, now=noon)
    label = make_shipment(order).labels.get()
    assert ROMAN["romanised_name"] in text_of(label)
    clock.advance(days=45)
    assert sweep().endswith("0 failed")
    person = person_of(order)
    assert {name: getattr(person, name) for name in ROMAN} == dict.fromkeys(ROMAN, markers.AMAZON)
    assert (person.recipient_name, person.street1, person.city) == (markers.AMAZON, markers.AMAZON, KANJI["city"])
    text = text_of(label).casefold()
    assert not [value for value in (*KANJI.values(), *ROMAN.values()) if len(value) > 2 and value.casefold() in text]
    with pytest.raises(RuleViolation, match="was erased on schedule"):
        roman.write(order, ROMAN, by=agent, now=clock.now())


@pytest.mark.django_db(transaction=True)
def test_a_writer_that_meets_an_erasure_halfway_waits_and_is_refused(noon):
    order, agent = make_order(person=KANJI), make_user("Support")
    told: list[str] = []

    def write():
        try:
            roman.write(order, ROMAN, by=agent, now=noon)
        except RuleViolation as error:
            told.append(str(error))
        finally:
            connection.close()

    with transaction.atomic():
        PERSONS.overwrite([order.pk], marker=markers.AMAZON, now=noon)
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(20)
    assert told == [f"The address of order {order.order_number} was erased on schedule."]
    assert set(twins_of(order).values()) == {""}


@pytest.mark.django_db(transaction=True)
def test_writer_and_erasure_at_once_end_erased(noon):
    store, agent = make_store(), make_user("Support")
    for _round in range(6):
        order = make_order(store, person=KANJI, redaction_due_at=noon)
        gate = threading.Barrier(2)

        def write(order=order, gate=gate):
            gate.wait()
            try:
                roman.write(order, ROMAN, by=agent, now=noon)
            except RuleViolation:
                pass
            finally:
                connection.close()

        thread = threading.Thread(target=write)
        thread.start()
        gate.wait()
        sweep()
        thread.join(20)
        sweep()  # an order locked by the writer is left for the next sweep
        assert Order.objects.get(pk=order.pk).pii_state == "redacted"
        assert set(twins_of(order).values()) <= {"", markers.AMAZON}
        assert person_of(order).recipient_name == markers.AMAZON


# ---- import


def served_from_japan(world):
    account = connect(scenarios.JP)
    address = SimAddress(
        name="霧ヶ谷　花子", line1="銀座４丁目５−１", line2="ｺｰﾎﾟ月見", city="中央区", state="東京都", postal_code="104-0061",
        district="銀座", country="JP", phone="03-0000-0101",
    )  # fmt: skip
    at = NOON - timedelta(hours=1)
    sent = world.add_order(scenarios.JP, created=at, updated=at, address=address)
    import_now(account)
    return account, sent, Order.objects.get()


GINZA = {
    "romanised_name": "Hanako Kirigaya", "romanised_street1": "4-5-1 Ginza", "romanised_street2": "Corpo Tsukimi",
    "romanised_city": "Chuo-ku", "romanised_state": "Tokyo",
}  # fmt: skip


def originals(order: Order) -> tuple[str, ...]:
    person = person_of(order)
    return (person.recipient_name, person.street1, person.street2, person.city, person.state, person.district)


def test_r16_kanji_are_kept_as_sent_and_a_later_import_keeps_the_twins(world, travel, agent):
    account, sent, order = served_from_japan(world)
    told = sent.address
    as_sent = (told.name, told.line1, told.line2, told.city, told.state, told.district)
    assert originals(order) == as_sent
    roman.write(order, GINZA, by=agent, now=clock.now())
    travel(world, minutes=20)
    world.update(sent.order_id)
    travel(world, minutes=5)
    import_now(account)
    order.refresh_from_db()
    assert order.amazon_updated_at > NOON
    assert originals(order) == as_sent
    assert twins_of(order) == GINZA | KEPT_BLANK


@pytest.mark.parametrize(
    ("field", "value"),
    [("line1", "丸の内１丁目９−１"), ("line1", "1-9-1 Marunouchi"), ("district", "丸の内"), ("name", "月守 蓮司")],
)
def test_an_address_amazon_changes_must_be_written_anew(world, travel, agent, field, value):
    """Else the parcel would go where the buyer no longer wants it."""
    account, sent, order = served_from_japan(world)
    roman.write(order, GINZA, by=agent, now=clock.now())
    travel(world, minutes=20)
    setattr(sent.address, field, value)
    world.update(sent.order_id)
    travel(world, minutes=5)
    import_now(account)
    assert value in originals(order)
    assert set(twins_of(order).values()) == {""}
    assert order.events.first().kind == OrderEvent.Kind.ROMAN_DROPPED
    with pytest.raises(RuleViolation, match="not in Roman characters"):
        make_shipment(Order.objects.get())


# ---- R17: labels


def nothing_was_made(order: Order) -> bool:
    order.refresh_from_db()
    rows = [model.objects.count() for model in (Shipment, Label, ShipmentNotification, OrderEvent)]
    units = sum(order.items.values_list("quantity_shipped", flat=True))
    return (order.status, order.shipped_at, units, rows) == (Order.Status.AWAITING_SHIPMENT, None, 0, [0, 0, 0, 0])


@pytest.mark.parametrize("marketplace", ["US", "FR", "JP"])
def test_r17_a_label_for_an_address_in_kanji_is_refused_in_every_store(noon, marketplace):
    given = {"japan_enabled": True, "active": True} if marketplace == "JP" else {}
    order = make_order(make_store(marketplace, **given), person=KANJI)
    with pytest.raises(RuleViolation) as caught:
        make_shipment(order)
    assert str(caught.value) == (
        f"The address of order {order.order_number} is not in Roman characters, which carriers cannot read."
        " Open the order, fill in the address in Roman characters, then make the label."
    )
    assert nothing_was_made(order)


def test_r17_once_written_the_label_is_made_and_shows_the_roman_address_only(order, agent, noon):
    with pytest.raises(RuleViolation):
        make_shipment(order)
    roman.write(order, ROMAN, by=agent, now=noon)
    label = make_shipment(order).labels.get()
    text = text_of(label)
    for value in ("Hinano Tsukimori", "3-13-16", "Corpo Tsukimi 101", "Kita 1-jo Nishi", "HOKKAIDO", "060-0001"):
        assert value in text
    assert roman.is_roman(text)


def test_r17_a_part_that_is_missing_is_enough_to_refuse(order, agent, noon):
    roman.write(order, ROMAN, by=agent, now=noon)
    OrderPersonalData.objects.filter(pk=order.pk).update(romanised_state="")
    with pytest.raises(RuleViolation, match="not in Roman characters"):
        make_shipment(order)
    roman.write(order, ROMAN, by=agent, now=noon)
    make_shipment(order)


def test_r17_a_caller_with_an_old_row_in_hand_gets_the_address_as_it_is_now(order, agent, noon):
    old = Order.objects.select_related("person", "store__merchant").get(pk=order.pk)
    assert roman.missing(old.person)
    roman.write(Order.objects.get(pk=order.pk), ROMAN, by=agent, now=noon)
    assert "Hinano Tsukimori" in text_of(make_shipment(old).labels.get())


def test_r17_r80_without_a_label_it_can_leave(order):
    shipment = make_shipment(order, with_label=False)
    assert (shipment.labels.count(), shipment.tracked, order.status) == (0, False, Order.Status.SHIPPED)


def test_a_label_drawn_again_uses_the_roman_address(order, agent, noon):
    roman.write(order, ROMAN, by=agent, now=noon)
    label = make_shipment(order).labels.get()
    Path(file_of(label)).unlink()
    labelling.write_label(Label.objects.get(pk=label.pk))
    pages = PdfReader(io.BytesIO(bytes_of(label))).pages
    assert "Hinano Tsukimori" in pages[0].extract_text()


def test_one_question_tells_which_of_many_orders_cannot_have_a_label(noon, django_assert_num_queries):
    store = make_store()
    kanji, plain = make_order(store, person=KANJI), make_order(store)
    with django_assert_num_queries(1) as seen:
        assert roman.unreadable([kanji.pk, plain.pk, 10**9]) == {kanji.pk}
    sql = seen.captured_queries[0]["sql"]
    assert not [name for name in ("buyer_name", "phone", "gift_message") if f'"{name}"' in sql]


def test_an_address_changed_after_shipping_keeps_the_roman_one(world, travel, agent):
    """The parcel has left: there is nothing to write anew, and a lost label is drawn as it was."""
    account, sent, order = served_from_japan(world)
    roman.write(order, GINZA, by=agent, now=clock.now())
    make_shipment(order)
    travel(world, minutes=20)
    sent.address.line1 = "丸の内１丁目９−１"
    world.update(sent.order_id)
    travel(world, minutes=5)
    import_now(account)
    assert twins_of(order) == GINZA | KEPT_BLANK
    assert not OrderEvent.objects.filter(kind=OrderEvent.Kind.ROMAN_DROPPED).exists()


@pytest.mark.parametrize("status", ["shipped", "cancelled"])
def test_nothing_is_written_on_a_closed_order(noon, agent, status):
    order = make_order(person=KANJI, status=status)
    with pytest.raises(RuleViolation, match="is closed"):
        roman.write(order, ROMAN, by=agent, now=noon)
    assert set(twins_of(order).values()) == {""}
