"""The command erases what is due, lists what will be, and plays the future only where Amazon is a stand-in."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from privacy import erasure
from privacy.models import ErasureCertificate
from tests.privacy.rows import due_order, everything, state_of
from tests.privacy.test_erasure import due_label, file_of, in_trouble

pytestmark = pytest.mark.django_db


def order_of_today(noon):
    """Imported now, so due in 14 days."""
    return due_order(due=noon + timedelta(days=14))


def redact_due(*arguments: str) -> str:
    out = io.StringIO()
    call_command("redact_due", *arguments, stdout=out)
    return out.getvalue()


def test_without_arguments_it_erases_what_is_due_now(noon):
    due, later = due_order(), order_of_today(noon)
    assert "1 redacted" in redact_due()
    assert (state_of(due), state_of(later)) == ("redacted", "present")


def test_a_dry_run_lists_what_is_due_and_changes_nothing(noon):
    due, later = due_order(), order_of_today(noon)
    before = everything()
    told = redact_due("--dry-run")
    assert everything() == before
    assert str(due) in told and str(later) not in told and "nothing erased" in told


def test_a_future_instant_is_a_dry_run_where_amazon_is_real(noon):
    order = order_of_today(noon)
    before = everything()
    told = redact_due("--at", (noon + timedelta(days=14)).isoformat())
    assert everything() == before
    assert str(order) in told and "1 orders due by" in told


@pytest.mark.parametrize("url", ["https://sellingpartnerapi-na.amazon.com", ""])
def test_only_a_loopback_stand_in_opens_the_future(noon, settings, url):
    settings.SPAPI_BASE_URL = url
    order_of_today(noon)
    assert "nothing erased" in redact_due("--at", "2027-06-01T00:00:00Z")
    assert not ErasureCertificate.objects.exists()


def test_never_in_production(noon, settings):
    settings.SPAPI_BASE_URL, settings.PRODUCTION = "http://127.0.0.1:9", True
    order_of_today(noon)
    assert "nothing erased" in redact_due("--at", "2027-06-01T00:00:00Z")


def test_with_a_stand_in_the_future_is_played_for_good(noon, settings):
    settings.SPAPI_BASE_URL = "http://127.0.0.1:9"
    order = order_of_today(noon)
    redact_due("--at", (noon + timedelta(days=14, seconds=-1)).isoformat())
    assert state_of(order) == "present"
    redact_due("--at", (noon + timedelta(days=14)).isoformat())
    assert state_of(order) == "redacted"


def test_a_past_instant_erases_only_what_was_due_then(noon):
    old, new = due_order(due=noon - timedelta(days=2)), due_order(due=noon)
    redact_due("--at", (noon - timedelta(days=1)).isoformat())
    assert (state_of(old), state_of(new)) == ("redacted", "present")


def test_the_preview_lists_in_order_of_date_and_changes_nothing(noon):
    second, first = due_order(due=noon + timedelta(days=3)), due_order()
    due_order(due=noon + timedelta(days=30))
    before = everything()
    found = erasure.preview(now=noon, until=noon + timedelta(days=7))
    assert [row.order_id for row in found] == [first.pk, second.pk]
    assert everything() == before


def test_a_failure_ends_the_command_with_an_error_and_the_order_ids(noon):
    label = due_label()
    in_trouble(label)
    with pytest.raises(CommandError, match=rf"\[{label.shipment.order_id}\]"):
        redact_due()
    assert file_of(label).is_dir()


def test_an_instant_it_cannot_read_is_refused(noon):
    with pytest.raises(CommandError, match="--at takes an instant"):
        redact_due("--at", "tomorrow")
