"""Notes of staff (F32): written once; erased with the order where they name its buyer (design §12), else kept."""

import string
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderhub import clock
from orderhub.errors import RuleViolation
from orders import notes, personal_data
from orders.models import Order, OrderEvent, OrderNote, OrderPersonalData
from orders.notes_erasing import NOTES, Traces, fold
from privacy import access, markers
from privacy.models import ErasureCertificate
from tests.factories import make_order, make_store, make_user
from tests.privacy.rows import due_order, everything, state_of, sweep

BUYER = {
    "buyer_name": "Zoé Dupont-Müller",
    "recipient_name": "山田 太郎",
    "romanised_name": "Taro Yamada",
    "buyer_company": "Ateliers Réunis",
    "buyer_username": "zoe_d_75",
    "buyer_email": "zoe.dupont@example.org",
    "recipient_company": "",
    "street1": "12 bis rue de la Paix",
    "street2": "千代田1-2-3",
    "romanised_street1": "1-2-3 Chiyoda",
    "street3": "",
    "phone": "+33 6 12 34 56 78",
}
NAMING = [
    "Rappeler Zoé Dupont-Müller demain",
    "ZOE DUPONT MULLER veut un autre coloris",
    "Zoé\nDupont-Müller",
    "ｚｏé  dupont\t\tmuller",
    "Zoe Dupont-Mueller a écrit",
    "Müller, Zoé",
    "Mme Dupont a appelé",
    "dupont a appelé",
    "Zo\u0065\u0301 dit non",
    "山田太郎様より電話",
    "山田様",
    "山\n田\n太\n郎",
    "Mr Yamada wants it blue",
    "call TARO YAMADA",
    "société ateliers reunis",
    "pseudo: zoe_d_75",
    "mail zoe.dupont@example.org",
    "mail Zoe.Dupont@Example.ORG",
    "zoe.dupont@\nexample.org",
    "habite rue de la paix",
    "12 bis, rue de la Paix",
    "千代田 1-2-3 に送る",
    "tel 06 12 34 56 78",
    "tel +33612345678",
    "tel 06.12.34.56.78!",
    "tel 06123\n45678",
    "tel ０６１２３４５６７８",
    "Du\u200bpont-Mül\u00adler",
]
HARMLESS = [
    "Le client veut un autre coloris",
    "petit colis, fragile",
    "rue barrée: livrer mardi",
    "deuxième envoi 2 x SKU-12",
    "order 111-9345612-1234567",
    "hold until Friday",
    "写真を確認",
    "marketplace mail answered",
    "paix avec le transporteur",
    "123456",
]


def traces(**person) -> Traces:
    return Traces(OrderPersonalData(**(BUYER | person)))


@pytest.mark.parametrize("text", NAMING)
def test_a_note_that_names_the_buyer_is_recognised(text):
    assert traces().are_in(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_a_note_about_work_is_left_alone(text):
    assert not traces().are_in(text)


def test_a_relay_address_is_no_real_one():
    assert not traces(buyer_email="abc1@marketplace.amazon.fr").are_in("asked abc1@marketplace.amazon.fr")


def test_short_words_and_particles_never_count_alone():
    person = traces(buyer_name="Ursula von der Au", recipient_name="Li Wu", romanised_name="")
    for text in ("Der Kunde wartet", "Von DHL zurück", "li", "Au revoir"):
        assert not person.are_in(text), text
    for text in ("Ursula", "Wu Li", "von der Au"):
        assert person.are_in(text), text


def test_nothing_is_recognised_where_nothing_is_known_of_the_buyer():
    nobody = Traces(OrderPersonalData())
    assert not any(nobody.are_in(text) for text in [*NAMING, *HARMLESS, ""])


_words = st.text(string.ascii_letters + "éèüñçøãłšßŽÀ", min_size=4, max_size=12)
_noise = st.text(string.ascii_lowercase + " \n\t.,;:!?-()", max_size=40)


@settings(max_examples=150, deadline=None)
@given(
    words=st.lists(_words, min_size=2, max_size=4),
    before=_noise,
    after=_noise,
    gap=st.sampled_from([" ", "\n", "  ", "\t", "-", ", ", "\u00a0", "\r\n"]),
    change=st.sampled_from([str, str.upper, str.lower, str.title]),
)
def test_property_a_whole_name_is_found_in_any_case_and_across_any_gap(words, before, after, gap, change):
    person = Traces(OrderPersonalData(recipient_name=" ".join(words)))
    assert person.are_in(f"{before} {change(gap.join(words))} {after}")


@settings(max_examples=100, deadline=None)
@given(digits=st.text("0123456789", min_size=7, max_size=12), breaks=st.lists(st.integers(0, 12), max_size=4))
def test_property_a_phone_number_is_found_however_it_is_grouped(digits, breaks):
    written = "".join(sign + (" " if place in breaks else "") for place, sign in enumerate(digits))
    assert Traces(OrderPersonalData(phone=f"+33 {digits} ext. 12")).are_in(f"tel. {written} merci")


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200))
def test_property_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


# -- writing


@pytest.fixture
def author(noon, db):
    return make_user(access.SUPPORT)


def add(order, text, author):
    return notes.add(order, text, by=author, now=clock.now())


@pytest.mark.django_db
def test_f32_a_note_has_author_time_and_a_line_on_the_timeline_without_its_text(author, noon):
    order = make_order()
    note = add(order, "  wants it blue\r\n\r\nreally \x00", author)
    assert (note.text, note.author, note.at) == ("wants it blue\n\nreally", author, noon)
    event = order.events.get()
    assert (event.kind, event.params, event.actor) == (OrderEvent.Kind.NOTED, {}, author)


@pytest.mark.django_db
@pytest.mark.parametrize(("text", "told"), [("", "Write"), (" \n\x00", "Write"), ("x" * 4001, "4000.*4001")])
def test_f32_an_empty_or_too_long_note_is_refused_with_a_sentence(author, text, told):
    order = make_order()
    with pytest.raises(RuleViolation, match=told):
        add(order, text, author)
    assert (order.notes.count(), order.events.count()) == (0, 0)
    assert add(order, "x" * 4000, author).pk


@pytest.mark.django_db
@pytest.mark.parametrize("state", Order.PiiState.MASKED)
def test_b37_an_erased_order_takes_no_note_any_more(author, noon, state):
    order = make_order()
    redacted_at = noon if state == "redacted" else None
    Order.objects.filter(pk=order.pk).update(pii_state=state, redacted_at=redacted_at)
    with pytest.raises(RuleViolation, match="erased"):
        add(order, "Ada Example, 1 Sample Street", author)
    assert not OrderNote.objects.exists()


# -- erasing


@pytest.mark.django_db
def test_design_12_at_the_due_instant_naming_notes_go_and_the_others_stay(author):
    order = due_order(person=BUYER, due=clock.now() + timedelta(minutes=1))
    for text in (*NAMING, *HARMLESS):
        add(order, text, author)
    clock.advance(minutes=1)
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    assert sorted(order.notes.filter(marker="").values_list("text", flat=True)) == sorted(HARMLESS)
    gone = order.notes.exclude(marker="")
    assert gone.count() == len(NAMING) and set(gone.values_list("text", "marker")) == {(markers.AMAZON, markers.AMAZON)}
    assert "notes" in ErasureCertificate.objects.get().fields


@pytest.mark.django_db
def test_a_certificate_names_no_notes_where_none_named_the_buyer(author):
    order = due_order()
    add(order, "wants it blue", author)
    sweep()
    assert "notes" not in ErasureCertificate.objects.get().fields
    assert state_of(order) == "redacted" and order.notes.get().text == "wants it blue"


@pytest.mark.django_db
def test_a_note_is_compared_with_its_own_order_only(author):
    due = due_order(person={"recipient_name": "Grace Hopper", "buyer_name": ""})
    other = due_order(person={"recipient_name": "Barbara Liskov", "buyer_name": ""})
    add(due, "Liskov", author)
    add(other, "Liskov", author)
    sweep()
    assert (due.notes.get().text, other.notes.get().text) == ("Liskov", markers.AMAZON)


@pytest.mark.django_db
def test_notes_are_looked_at_before_the_names_go():
    order = personal_data.HOLDERS.index(NOTES), personal_data.HOLDERS.index(personal_data.PERSONS)
    assert order[0] < order[1]


@pytest.mark.django_db
def test_leftovers_are_notes_that_name_somebody_the_row_still_holds(author, noon):
    store = make_store()
    order, quiet = make_order(store), make_order(store)
    add(order, "Ada Example called", author)
    add(quiet, "wants it blue", author)
    both = [order.pk, quiet.pk]
    assert NOTES.leftovers(both, now=noon) == {order.pk}
    assert NOTES.overwrite(both, marker=markers.AMAZON, now=noon) == {order.pk: ["notes"]}
    assert NOTES.leftovers(both, now=noon) == set()
    assert NOTES.overwrite(both, marker=markers.AMAZON, now=noon) == {}


@pytest.mark.django_db
def test_erasing_notes_costs_the_same_few_statements_for_any_number(author, noon, django_assert_max_num_queries):
    store, counts = make_store(), []
    for size in (2, 20):
        orders = [make_order(store) for _each in range(size)]
        OrderNote.objects.bulk_create(
            OrderNote(order=order, text=text, at=noon)
            for order in orders
            for text in ("Ada Example", "blue", "1 Sample Street")
        )
        with django_assert_max_num_queries(10) as seen:
            NOTES.overwrite([order.pk for order in orders], marker=markers.AMAZON, now=noon)
        counts.append(len(seen))
    assert counts[0] == counts[1] == 9  # six of them for new keys of the notes that stay


@pytest.mark.django_db
def test_canary_nothing_of_the_person_is_left_in_any_table_after_notes_that_quote_all_of_it(author):
    order = due_order(person=BUYER)
    for name in ("buyer_name", "recipient_name", "romanised_name", "buyer_company", "street1", "street2", "phone"):
        add(order, f"Rappeler : {BUYER[name]}\n(deux fois)", author)
    add(order, " / ".join(BUYER.values()), author)
    sweep()
    left = fold(str(everything())).replace(" ", "")
    for value in filter(None, BUYER.values()):
        assert fold(value).replace(" ", "") not in left, value
    assert state_of(order) == "redacted"


@pytest.mark.parametrize(
    ("name", "text"), [("علي حسن", "علي يريد اللون الأزرق"), ("דוד כהן", "כהן התקשר"), ("ნინო ბერი", "ნინო")]
)
def test_a_short_name_counts_alone_in_a_script_without_capitals(name, text):
    assert Traces(OrderPersonalData(buyer_name=name)).are_in(text)
