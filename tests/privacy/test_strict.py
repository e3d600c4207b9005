"""R111: the strict profile, of one store or of the installation, and that only what is strict is erased by it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders import latch, strict_erasing
from orders.models import Order, OrderItem, OrderNote, OrderPersonalData
from orders.strict_erasing import STRICT, no_options
from privacy import markers
from privacy.models import ErasureCertificate
from tests.factories import make_store, make_user
from tests.privacy.rows import PLACE, due_order, person_of, state_of, sweep
from tests.privacy.test_latch import take_in

pytestmark = pytest.mark.django_db
MARKER = markers.AMAZON
CUSTOM = {"custom_field_1": "gift for Ada", "custom_field_2": "", "custom_field_3": "11-22"}
OPTIONS = [{"name": "Engraving", "value": "For Ada"}]


@pytest.fixture(params=["store", "installation"])
def strict(request, settings, noon):
    """A strict store, by its own switch or the installation's."""
    if request.param == "installation":
        settings.REDACTION_PROFILE = "strict"
    return make_store(redaction_strict=request.param == "store")


def filled(store, **given) -> Order:
    order = due_order(store=store, **CUSTOM, **given)
    OrderItem.objects.filter(order=order).update(options=OPTIONS)
    OrderNote.objects.create(order=order, text="wrap it twice", author=make_user("Support"))
    return order


def held(order: Order) -> tuple:
    order.refresh_from_db()
    return (
        person_of(order).postal_code, order.custom_field_1, order.custom_field_2, order.custom_field_3,
        order.items.earliest("pk").options, order.notes.get().text,
    )  # fmt: skip


AS_IT_WAS = ("78701", "gift for Ada", "", "11-22", OPTIONS, "wrap it twice")
GONE = (MARKER, MARKER, "", MARKER, no_options(MARKER), MARKER)


def test_r111_the_strict_profile_takes_the_rest_too(strict):
    order = filled(strict)
    assert sweep() == "1 redacted, 0 documents, 0 failed"
    assert held(order) == GONE
    kept = {name: getattr(person_of(order), name) for name in PLACE if name != "postal_code"}
    assert kept == {name: text for name, text in PLACE.items() if name != "postal_code"}  # R68
    names = ErasureCertificate.objects.get().fields
    assert {"postal_code", "order.custom_field_1", "order.custom_field_3", "options", "notes"} <= set(names)
    assert "order.custom_field_2" not in names


def test_r111_it_is_off_by_default_and_store_by_store(noon):
    store = make_store()
    other = make_store("CA", account=store.account, redaction_strict=True)
    usual, strict = filled(store), filled(other)
    sweep()
    assert held(usual) == AS_IT_WAS
    assert held(strict) == GONE


def test_r75_a_second_run_changes_nothing(strict):
    order = filled(strict)
    sweep()
    assert STRICT.overwrite([order.pk], marker=markers.RGPD, now=order.ordered_at) == {}
    assert held(order) == GONE


@pytest.mark.parametrize(
    ("model", "key", "change", "back"),
    [
        (OrderPersonalData, "pk", {"postal_code": "78701"}, {"postal_code": ""}),
        (Order, "pk", {"custom_field_3": "11-22"}, {"custom_field_3": ""}),
        (OrderItem, "order", {"options": OPTIONS}, {"options": []}),
        (OrderNote, "order", {"marker": ""}, {"marker": MARKER}),
    ],
)
def test_verification_sees_each_thing_that_was_left(strict, model, key, change, back):
    order = filled(strict)
    sweep()
    rows = model.objects.filter(**{key: order.pk})
    rows.update(**change)
    assert STRICT.leftovers([order.pk], now=order.ordered_at) == {order.pk}
    rows.update(**back)
    assert STRICT.leftovers([order.pk], now=order.ordered_at) == set()


def test_what_was_left_is_never_called_erased_and_is_finished_later(strict, monkeypatch):
    order = filled(strict)
    with monkeypatch.context() as patch:
        patch.setattr(STRICT, "overwrite", lambda ids, *, marker, now: {})  # a redactor that does nothing
        assert sweep() == "0 redacted, 0 documents, 1 failed"
    assert state_of(order) == "redacting"
    sweep()
    assert (state_of(order), held(order)) == ("redacted", GONE)


def test_r76_an_import_brings_neither_postal_code_nor_custom_fields_back(strict, noon):
    type(strict).objects.update(custom_fields_enabled=True, custom_field_1="order_number")
    order = filled(strict)
    sweep()
    take_in(order, at=noon + timedelta(minutes=1), postal_code="78701", recipient_name="Ada Example")
    assert held(order) == GONE


def test_r76_an_empty_postal_code_stays_empty_after_an_erasure(strict, noon):
    order = filled(strict, person={"postal_code": ""})
    sweep()
    take_in(order, at=noon + timedelta(minutes=1), postal_code="78701")
    assert person_of(order).postal_code == ""


def test_the_latch_shuts_more_for_a_strict_order(strict, noon):
    order = filled(strict)
    sweep()
    order = Order.objects.select_related("store").get(pk=order.pk)
    offered = {"postal_code": "78701", "custom_field_1": "Ada", "options": OPTIONS, "ship_by": noon}
    assert latch.guard(order, offered, client="Till 4", now=noon) == {"ship_by": noon}


def test_the_latch_leaves_work_fields_of_a_usual_order(noon):
    order = filled(make_store())
    sweep()
    order = Order.objects.select_related("store").get(pk=order.pk)
    offered = {"custom_field_1": "shelf 4", "options": OPTIONS}
    assert latch.guard(order, offered, client="Till 4", now=noon) == offered


def test_a_usual_batch_costs_one_statement_and_a_strict_one_always_the_same(noon):
    store = make_store()
    usual = [filled(store).pk for _ in range(3)]

    def queries(ids) -> int:
        with CaptureQueriesContext(connection) as seen:
            STRICT.overwrite(ids, marker=MARKER, now=noon)
        return len(seen)

    assert queries(usual) == 1
    type(store).objects.update(redaction_strict=True)
    few = queries(usual[:1])
    assert queries([filled(store).pk for _ in range(4)]) == few


def test_a_postal_code_is_masked_while_a_strict_order_is_being_erased(strict, client):
    order = filled(strict)
    Order.objects.filter(pk=order.pk).update(pii_state="redacting")
    client.force_login(make_user("Support"))
    page = client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    assert "78701" not in page and "Austin" in page


def test_no_other_word_switches_it_on(noon, settings):
    settings.REDACTION_PROFILE = "brief"
    assert not strict_erasing.everywhere()
