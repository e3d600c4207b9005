"""The approved sender of a store (R61)."""

import pytest

from orderhub.errors import RuleViolation
from stores import senders
from stores.models import Store
from tests.factories import make_store, make_user

pytestmark = pytest.mark.django_db
OURS = "shop@lake.example"


@pytest.fixture
def store(noon) -> Store:
    return make_store(brand_from_email=OURS)


def test_r61_exactly_the_present_sender_is_confirmed_with_who_and_when(store, noon):
    user = make_user("Support")
    assert not store.sender_approved
    after = senders.confirm_sender(store, OURS, by=user, now=noon)
    assert after.sender_approved
    store.refresh_from_db()
    kept = (store.approved_sender, store.approved_sender_confirmed_at, store.approved_sender_confirmed_by)
    assert kept == (OURS, noon, user)


def test_r61_another_address_voids_it_and_the_old_one_counts_again_when_it_comes_back(store, noon):
    senders.confirm_sender(store, OURS, by=make_user("Support"), now=noon)
    for address, approved in (("other@lake.example", False), ("", False), (OURS.upper(), False), (OURS, True)):
        Store.objects.filter(pk=store.pk).update(brand_from_email=address)
        store.refresh_from_db()
        assert store.sender_approved is approved, address


def test_r61_another_address_of_the_service_voids_it_where_the_store_has_none(noon, settings):
    store = make_store()
    senders.confirm_sender(store, settings.DEFAULT_FROM_EMAIL, by=make_user("Support"), now=noon)
    store.refresh_from_db()
    assert store.sender_approved
    settings.DEFAULT_FROM_EMAIL = "new@orderhub.test"
    assert not store.sender_approved


@pytest.mark.parametrize("shown", ["", "old@lake.example", OURS.upper(), f" {OURS}"])
def test_an_address_that_is_no_longer_the_sender_is_not_confirmed(store, noon, shown):
    with pytest.raises(RuleViolation, match=f"it is {OURS} now"):
        senders.confirm_sender(store, shown, by=make_user("Support"), now=noon)
    store.refresh_from_db()
    assert (store.approved_sender, store.approved_sender_confirmed_at) == ("", None)


def test_the_address_in_the_database_counts_not_the_one_in_hand(store, noon):
    stale = Store.objects.get(pk=store.pk)
    Store.objects.filter(pk=store.pk).update(brand_from_email="other@lake.example")
    with pytest.raises(RuleViolation, match="other@lake.example"):
        senders.confirm_sender(stale, OURS, by=make_user("Support"), now=noon)


def test_confirming_again_leaves_who_did_it_first(store, noon):
    first = make_user("Support")
    senders.confirm_sender(store, OURS, by=first, now=noon)
    senders.confirm_sender(store, OURS, by=make_user("Support"), now=noon.replace(hour=13))
    store.refresh_from_db()
    assert (store.approved_sender_confirmed_by, store.approved_sender_confirmed_at) == (first, noon)
