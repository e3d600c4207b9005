"""Once erased, nothing brings a person back: not the database, not an import, not an import at the same moment."""

import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from orders import roman
from orders.models import Order, OrderPersonalData
from orders.models.person import EMAIL, ERASED, LATCHED
from orders.page import PageWriter
from orders.personal_data import PERSONS
from privacy import markers
from privacy.fields import sealed_values
from stores.connectors.base import OrderPage, RemoteItem, RemoteOrder, RemotePerson
from stores.marketplaces import BY_CODE
from tests.privacy.rows import FULL, due_order, person_of, shop, state_of, sweep

pytestmark = pytest.mark.django_db
MARKER = markers.AMAZON
OTHER_PERSON = {name: f"other {name}" for name in RemotePerson.__dataclass_fields__}


def offered(order: Order, *, at, **person) -> OrderPage:
    """What Amazon says of the order, changed a moment ago and with a person in it."""
    remote = RemoteOrder(
        number=order.order_number, marketplace_id=BY_CODE["US"].id, status="UNSHIPPED", fulfilled_by="MFN",
        created_at=order.ordered_at, updated_at=at,
        items=(RemoteItem(item_id="1", sku="SKU-1", asin="B000000001", title="Sample", quantity=1),),
        person=RemotePerson(**(person or OTHER_PERSON)),
    )  # fmt: skip
    return OrderPage(orders=(remote,), unreadable=(), bound=at)


def take_in(order: Order, *, at, **person):
    with transaction.atomic():
        return PageWriter(order.store.account, now=at).write(offered(order, at=at, **person))


def erased_columns(order: Order) -> dict[str, str]:
    person = person_of(order)
    return {name: getattr(person, name) for name in LATCHED}


ALL_ERASED = dict.fromkeys(LATCHED, MARKER)
NOT_ROMAN_ANY_MORE = dict.fromkeys(roman.TWINS.values(), "")  # an import with another address drops them


@pytest.mark.sampled(5)
@pytest.mark.parametrize("column", LATCHED)
@pytest.mark.parametrize("text", ["Ada Example", f"{MARKER} ", markers.RGPD])
def test_the_database_refuses_a_name_on_an_erased_row(noon, column, text):
    order = due_order()
    sweep()
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderPersonalData.objects.filter(pk=order.pk).update(**sealed_values(order.person, **{column: text}))
    assert erased_columns(order) == ALL_ERASED


@pytest.mark.parametrize("column", LATCHED)
def test_the_database_refuses_to_mark_a_row_that_still_holds_a_name(noon, column):
    order = due_order(person=dict.fromkeys((*ERASED, EMAIL), "") | {column: "Ada Example"})
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderPersonalData.objects.filter(pk=order.pk).update(marker=MARKER)


def test_the_database_knows_its_markers(noon):
    order = due_order(person=dict.fromkeys((*ERASED, EMAIL), ""))
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderPersonalData.objects.filter(pk=order.pk).update(marker="Ada Example")


def test_the_database_lets_the_marker_be_emptied(noon):
    order = due_order()
    sweep()
    assert OrderPersonalData.objects.filter(pk=order.pk).update(phone="") == 1


@pytest.mark.parametrize(
    "change",
    [{"redaction_due_at": "2026-12-01T00:00Z"}, {"pii_state": "present"}, {"pii_state": "redacting"}],
)
def test_an_order_by_amazon_cannot_have_a_person_or_a_due_date(noon, change):
    order = due_order(fulfilled_by="AFN", redaction_due_at=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(**change)


def test_an_order_from_amazon_cannot_lose_its_due_date(noon):
    order = due_order()
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(redaction_due_at=None)


def test_an_import_after_the_erasure_leaves_everything_erased(noon):
    order = due_order()
    sweep()
    counts = take_in(order, at=noon)
    assert counts["latched"] == 1
    assert erased_columns(order) == ALL_ERASED
    order.refresh_from_db()
    assert (order.pii_state, order.redacted_at) == ("redacted", noon)


def test_an_import_after_the_erasure_fills_no_field_that_was_empty(noon):
    order = due_order(person=dict.fromkeys((*ERASED, EMAIL), ""))
    sweep()
    take_in(order, at=noon)
    assert erased_columns(order) == dict.fromkeys(LATCHED, "")


def test_an_import_after_the_erasure_still_moves_what_is_not_personal(noon):
    order = due_order(person={"district": ""})
    sweep()
    take_in(order, at=noon, district="Travis", recipient_name="Ada Example")
    person = person_of(order)
    assert (person.district, person.city, person.recipient_name) == ("Travis", FULL["city"], MARKER)
    order.refresh_from_db()
    assert order.amazon_updated_at == noon


def test_an_import_never_brings_an_erased_postal_code_back(noon, settings):
    settings.REDACT_POSTCODE = "full"
    order = due_order(person={"postal_code": ""})
    sweep()
    take_in(order, at=noon, postal_code="78701")
    assert person_of(order).postal_code == ""


def test_an_order_being_erased_is_masked_for_an_import(noon):
    order = due_order()
    Order.objects.filter(pk=order.pk).update(pii_state="redacting")
    take_in(order, at=noon)
    assert erased_columns(order) == {name: FULL[name] for name in LATCHED}
    assert state_of(order) == "redacting"
    sweep()
    assert erased_columns(order) == ALL_ERASED


def test_a_later_import_never_moves_the_due_date(noon):
    order = due_order(due=noon + timedelta(days=14))
    take_in(order, at=noon + timedelta(days=5))
    order.refresh_from_db()
    assert (order.redaction_due_at, order.redaction_rule) == (noon + timedelta(days=14), "import")


def in_thread(work) -> tuple[threading.Thread, list]:
    """Start work on a connection of its own; what it raises is kept, not printed."""
    failures: list[Exception] = []

    def run():
        try:
            work()
        except DatabaseError as error:
            failures.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, failures


@pytest.mark.django_db(transaction=True)
def test_an_import_that_meets_an_erasure_halfway_waits_and_sees_it(noon):
    order = due_order(person={"district": ""})
    Order.objects.filter(pk=order.pk).update(pii_state="redacting")
    with transaction.atomic():
        PERSONS.overwrite([order.pk], marker=MARKER, now=noon)
        thread, failures = in_thread(lambda: take_in(order, at=noon))
        thread.join(0.5)  # the import is now wherever it gets to beside an open erasure
        assert thread.is_alive()
    thread.join(20)
    assert failures == []
    assert erased_columns(order) == ALL_ERASED
    assert person_of(order).district == OTHER_PERSON["district"]


@pytest.mark.django_db(transaction=True)
def test_import_and_erasure_at_once_end_erased(noon):
    shop()
    for round_number in range(6):
        order = due_order(person={"district": ""})
        gate = threading.Barrier(2)
        at = noon + timedelta(seconds=round_number)

        def import_it(order=order, gate=gate, at=at):
            gate.wait()
            take_in(order, at=at)

        thread, failures = in_thread(import_it)
        gate.wait()
        sweep()
        thread.join(20)
        sweep()  # an order locked by the import is left for the next sweep
        assert failures == []
        assert state_of(order) == "redacted"
        assert erased_columns(order) in (ALL_ERASED, ALL_ERASED | NOT_ROMAN_ANY_MORE)  # whichever came first
