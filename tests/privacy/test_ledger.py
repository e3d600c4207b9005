"""The counts behind the pages of erasure, on both databases: forecast, preview, command, delays, file."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from orderhub.ledger import certificates, forecast, lag, preview, summary
from orders.models import Order
from privacy import markers
from privacy.models import ErasureCertificate
from shipments.models import Label
from tests.factories import make_order, make_shipment
from tests.privacy.rows import certificate, due_order, everything, shop, sweep

pytestmark = pytest.mark.django_db


def label_due(at, **given) -> Label:
    """A label due at that instant, of an order that is not due for long."""
    label = make_shipment(make_order(shop(), **given)).labels.get()
    Label.objects.filter(pk=label.pk).update(due_at=at, due_rule="creation")
    return label


def three_orders_and_a_label(noon):
    first, second = (due_order(due=noon + timedelta(days=days)) for days in (1, 6))
    due_order(due=noon + timedelta(days=20))
    return first, second, label_due(noon + timedelta(days=2))


def test_lag_counts_what_is_overdue_and_is_calm_after_a_sweep(noon):
    due_order(due=noon - timedelta(hours=3))
    due_order(due=noon - timedelta(minutes=30))
    label_due(noon - timedelta(hours=2))
    found = lag.read(now=noon)
    assert (found.due, found.overdue, found.labels_overdue) == (2, 1, 1)
    assert (found.oldest, found.level(now=noon)) == (noon - timedelta(hours=3), "bad")
    sweep()
    found = lag.read(now=noon)
    assert (found.due, found.overdue, found.labels_overdue, found.swept_at) == (0, 0, 0, noon)
    assert found.level(now=noon) == "ok"


def test_the_forecast_counts_each_utc_day_and_what_is_due_already_today(noon):
    for days in (-2, 0.4, 0.6, 5, 29, 31):
        due_order(due=noon + timedelta(days=days))
    label = label_due(noon + timedelta(days=5))
    Order.objects.filter(pk=label.shipment.order_id).update(redaction_due_at=noon + timedelta(days=90))
    days = forecast.due_by_day(now=noon)
    assert len(days) == 30 and sum(day.orders for day in days) == 5
    assert [(place, day.orders, day.labels) for place, day in enumerate(days) if day.orders or day.labels] == [
        (0, 2, 0), (1, 1, 0), (5, 1, 1), (29, 1, 0),
    ]  # fmt: skip


def test_r107_the_preview_counts_by_rule_and_changes_nothing(noon):
    first, second, label = three_orders_and_a_label(noon)
    before, until = everything(), noon + timedelta(days=7)
    assert list(preview.orders(until)) == [first, second]
    assert list(preview.labels(until)) == [label]
    assert {count.rule: (count.orders, count.labels) for count in preview.by_rule(until)} == {
        "import": (2, 0), "creation": (0, 1),
    }  # fmt: skip
    assert everything() == before


def test_r87_the_preview_takes_what_is_due_at_the_instant_and_not_a_second_later(noon):
    order = due_order(due=noon + timedelta(days=1))
    assert list(preview.orders(noon + timedelta(days=1, seconds=-1))) == []
    assert list(preview.orders(noon + timedelta(days=1))) == [order]
    assert preview.end_of(noon.date()).isoformat() == "2026-11-20T23:59:59.999999+00:00"


def test_r85_a_returns_label_is_previewed_with_its_order(noon):
    from tests.shipments.postoffice import amazon_return

    returned = amazon_return()
    Order.objects.filter(pk=returned.order_id).update(redaction_due_at=noon + timedelta(days=2))
    Label.objects.update(due_at=noon + timedelta(days=40))
    assert [label.shipment_id for label in preview.labels(noon + timedelta(days=2))] == [returned.pk]


def test_what_the_preview_said_is_what_the_sweep_then_takes(noon, travel):
    three_orders_and_a_label(noon)
    until = noon + timedelta(days=7)
    numbers, labels = {str(order) for order in preview.orders(until)}, preview.labels(until).count()
    travel(days=7)
    sweep()
    erased = ErasureCertificate.objects.filter(kind="order").values_list("order_number", flat=True)
    assert set(erased) == numbers
    assert ErasureCertificate.objects.filter(kind="label").count() == labels == 1


def command(*arguments: str) -> str:
    out = io.StringIO()
    call_command("privacy_preview", *arguments, stdout=out)
    return out.getvalue()


def test_r107_the_command_lists_by_rule_and_changes_nothing(noon):
    first, second, label = three_orders_and_a_label(noon)
    before = everything()
    told = command("--days", "7")
    assert everything() == before
    assert "import           2 orders        0 labels" in told
    assert "2 orders, 1 labels due by 2026-11-27 12:00Z; nothing erased" in told
    assert first.order_number in told and f"label {label.pk}" in told
    assert first.order_number not in command("--days", "7", "--summary")
    assert second.order_number not in command("--days", "1")
    with pytest.raises(CommandError, match="0 to 60"):
        command("--days", "61")


def test_delays_are_told_by_day_rule_and_marker_with_worst_and_median(noon):
    for number, late in enumerate((1, 2, 3, 90)):
        certificate(noon, number, due_at=noon - timedelta(minutes=late), rule="import" if number < 3 else "label")
    certificate(noon, 9, kind="label", due_at=noon - timedelta(days=1, minutes=2), done_at=noon - timedelta(days=1))
    certificate(noon, 10, due_at=noon + timedelta(days=3), marker=markers.RGPD)
    certificate(noon, 11, done_at=noon - timedelta(days=40), due_at=noon - timedelta(days=50))
    found = summary.read(since=noon - timedelta(days=30))
    assert (found.orders, found.labels, found.early, found.late) == (5, 1, 1, 1)
    assert (found.worst, found.median) == (timedelta(minutes=90), timedelta(minutes=2))
    assert [(group.orders, group.labels) for group in found.days] == [(5, 0), (0, 1)]
    assert {group.key: (group.orders, group.worst) for group in found.rules} == {
        "import": (4, timedelta(minutes=3)), "label": (1, timedelta(minutes=90)),
    }  # fmt: skip
    assert {group.key: group.orders for group in found.markers} == {markers.AMAZON: 4, markers.RGPD: 1}


def test_a_ledger_without_certificates_has_no_delays(noon):
    found = summary.read(since=noon)
    assert (found.orders, found.worst, found.median, found.days) == (0, None, None, [])


def test_the_file_goes_by_key_and_takes_one_query_a_thousand(noon, django_assert_num_queries):
    for number in range(30):
        certificate(noon, number)
    with django_assert_num_queries(2):
        rows = list(csv.reader("".join(certificates.as_csv(ErasureCertificate.objects.all())).splitlines()))
    assert [row[3] for row in rows[1:]] == [str(number) for number in range(30)]
