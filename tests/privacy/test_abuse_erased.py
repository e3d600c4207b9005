"""What is left to guess at once a person is erased, and whether another spelling of a name gets round anything."""

import unicodedata

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders import people
from orders.models import BuyerWord, OrderPersonalData
from privacy import access, markers
from privacy.scanner import Scanner
from tests.factories import make_user
from tests.privacy.rows import due_label, due_order, sweep, text_of

pytestmark = pytest.mark.django_db
PERSON = {
    "recipient_name": "Ｊｏｓé Ａｌｖａｒｅｚ", "buyer_name": "Jоsé Ꭺlvarez", "buyer_email": "jose@example.org", "phone": "０６１２３４５６７８",
    "street1": "神田ﾋﾞﾙ 12",
}  # fmt: skip


# -- B30


@pytest.mark.parametrize("guess", ["ada example", "ada.example@example.org", "+33 6 12 34 56 78"])
def test_b30_after_the_erasure_a_right_guess_and_a_wrong_one_look_and_cost_alike(client, noon, guess):
    order = due_order(person={"buyer_email": "ada.example@example.org", "phone": "+33 6 12 34 56 78"})
    people.index([order.person])
    client.force_login(make_user(access.SUPPORT))

    def asked(who: str) -> tuple[int, str]:
        with CaptureQueriesContext(connection) as seen:
            answer = client.post("/admin/orders/order/people/", {"who": who})
        words = answer.content.decode()
        return len(seen), words.split("<main", 1)[-1].replace(who, "")

    assert order.order_number in asked(guess)[1]
    sweep()
    assert not BuyerWord.objects.exists()
    wrong = guess[:-1] + ("9" if guess[-1].isdigit() else "q")
    asked("somebody")  # what a process remembers for a minute is asked for once
    right, other = asked(guess), asked(wrong)
    assert order.order_number not in right[1] and right[0] == other[0]
    assert _plain(right[1]) == _plain(other[1])


def _plain(html: str) -> list[str]:
    """Without what differs from one answer to the next whoever asks for whom."""
    return [line for line in html.splitlines() if "csrfmiddlewaretoken" not in line]


# -- B42


SPELLINGS = [
    ("Elodie Dupont", "Ｅｌｏｄｉｅ　Ｄｕｐｏｎｔ"), ("Élodie Dupont", unicodedata.normalize("NFD", "ÉLODIE DUPONT")),
    ("山田ビル", "山田ﾋﾞﾙ"), ("神田太郎", "神\ufe00田\u200d太郎"), ("福井花子", "福井花子"), ("Raffi Ofir", "Raﬃ Oﬁr"),
    ("Elodie Dupont", "El\u00adodie Du\u200bpont"), ("Elodie Dupont", "𝐄𝐥𝐨𝐝𝐢𝐞 𝓓𝓾𝓹𝓸𝓷𝓽"), ("1 Main Street 12", "①　Ｍａｉｎ Street １２"),
    ("Straße 5 Haus", "STRASSE 5 HAUS"), ("㍻商事カブシキ", "平成商事ｶﾌﾞｼｷ"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "written"), SPELLINGS)
def test_b42_the_scanner_knows_a_name_however_it_is_spelt(name, written):
    for needle, text in ((name, written), (written, name)):
        assert [hit.needle_name for hit in Scanner({"name": needle}).scan_value(f"to {text}, today", "here")] == [
            "name"
        ]


@pytest.mark.parametrize("text", ["jose alvarez", "ＪＯＳÉ", "José", "0612345678", "JOSE@example.org"])
def test_b42_a_name_in_another_form_is_found_while_it_is_there(noon, text):
    order = due_order(person=PERSON)
    people.index([order.person])
    assert list(people.find(text)) == [order]


def test_b42_no_spelling_keeps_anything_of_a_person_from_being_erased(noon):
    order = due_order(person=PERSON)
    people.index([order.person])
    label = due_label(order)
    raw = OrderPersonalData.objects.get(pk=order.pk)
    assert (raw.recipient_name, raw.street1) == (
        PERSON["recipient_name"],
        PERSON["street1"],
    )  # as received, for the label
    sweep()
    person = OrderPersonalData.objects.get(pk=order.pk)
    assert {getattr(person, name) for name in PERSON} == {markers.AMAZON}
    assert not BuyerWord.objects.exists()
    scanner = Scanner(PERSON)
    assert markers.AMAZON in text_of(label)
    assert not scanner.scan_value(text_of(label), "label")
    with connection.cursor() as cursor:
        for table in ("orders_orderpersonaldata", "orders_orderevent", "shipments_label", "privacy_erasurecertificate"):
            cursor.execute(f"SELECT * FROM {table}")
            assert [hit for row in cursor.fetchall() for hit in scanner.scan_value(repr(row), table)] == []
