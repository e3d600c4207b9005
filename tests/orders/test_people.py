"""Orders are found by whom they are for, though the names are encrypted; and not any more once they are erased."""

import pytest

from orders import people
from orders.models import BuyerWord
from privacy.models import SecurityEvent
from tests.factories import make_order, make_store, make_user
from tests.privacy.rows import due_order, sweep

pytestmark = pytest.mark.django_db
PERSON = {
    "recipient_name": "Élodie Dupont-Moreau", "buyer_name": "Zoë Ångström", "buyer_email": "Zoe@Example.org",
    "phone": "+33 6 12 34 56 78", "buyer_company": "Atelier du Port",
}  # fmt: skip


@pytest.fixture
def order(noon):
    found = make_order(make_store(), person=PERSON)
    people.index([found.person])
    return found


@pytest.mark.parametrize("text", [
    "dupont", "DUPONT elodie", "Moreau", "zoe angstrom", "zoë", "zoe@example.org", " ZOE@EXAMPLE.ORG ",
    "06 12 34 56 78", "+33612345678", "0033 6.12.34.56.78", "atelier port",
])  # fmt: skip
def test_an_order_is_found_by_what_is_known_of_its_person(order, text):
    assert list(people.find(text)) == [order]


@pytest.mark.parametrize("text", ["", " ", "dup", "dupond", "dupont martin", "zoe@example", "12 34 56 79", "%", "-"])
def test_nothing_else_finds_it(order, text):
    assert list(people.find(text)) == []


def test_r90_b30_after_the_erasure_its_name_finds_nothing(noon):
    order = due_order()
    people.index([order.person])
    assert list(people.find("Ada Example")) == [order]
    sweep()
    assert (list(people.find("Ada Example")), BuyerWord.objects.count()) == ([], 0)


def test_the_hashes_tell_nothing_without_the_key(order, settings):
    before = people.words_of(order.person)
    settings.SECRET_KEY = "another"
    assert not before & people.words_of(order.person)


def test_a_search_costs_the_same_however_much_there_is(order, django_assert_num_queries):
    for number in range(9):
        other = make_order(order.store, order_number=str(number), person=PERSON)
        people.index([other.person])
    with django_assert_num_queries(1):
        assert len(people.find("dupont elodie")) == 10


@pytest.mark.parametrize("role", ["Support", "Customer success", "Privacy officer"])
def test_those_who_may_find_it_and_the_log_has_no_word_of_it(order, client, role):
    client.force_login(make_user(role))
    answer = client.post("/admin/orders/order/people/", {"who": "dupont"})
    assert order.order_number in answer.content.decode()
    event = SecurityEvent.objects.get()
    assert (event.code, event.ids) == ("person_searched", [order.pk])
    assert "dupont" not in event.reason.lower() and len(event.reason) == 16


@pytest.mark.parametrize("role", ["Warehouse", "Administrator"])
def test_those_who_may_not_are_refused(order, client, role):
    client.force_login(make_user(role))
    assert client.get("/admin/orders/order/people/").status_code == 403
    assert client.post("/admin/orders/order/people/", {"who": "dupont"}).status_code == 403


def test_a_name_in_the_address_is_not_looked_at(order, client):
    client.force_login(make_user("Support"))
    assert order.order_number not in client.get("/admin/orders/order/people/?who=dupont").content.decode()
