"""How long what names nobody is kept: eighteen months from the order, unless a law is given that wants some of it longer.

Amazon's rule (DPP 1.7) counts for everything that came from Amazon. A hold is a code, never free text: it names the
columns that stay and when they go. Instants are aware UTC; months and fiscal years are those of the calendar.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from privacy.audit_keeping import months_before

MOST_MONTHS = 18
YEARS_HELD = 10


class LegalHold(models.TextChoices):
    """Laws that want something kept longer. Code de commerce, L123-22: ten years from the end of the fiscal year."""

    FR_ACCOUNTING = "fr_accounting", _("French accounting law, ten years from the end of the fiscal year")


# What a hold keeps, by table; every other column is emptied, every other row about the order deleted
_REFERENCES = {  # which row it is, whose, and how it came and was erased
    "orders_order": "id store_id order_number origin_marketplace fulfilled_by status decided_status first_imported_at "
    "pii_state redaction_due_at redaction_rule redacted_at redaction_reason reduced_at",
    "orders_orderitem": "id order_id product_id quantity_shipped",
    "orders_orderpersonaldata": "order_id marker",
}
ACCOUNTING = {
    "orders_order": "seller_order_id ordered_at paid_at shipped_at currency item_total shipping_total tax_total "
    "discount_total gift_wrap_total cod_fee_total other_total order_total",
    "orders_orderitem": "sku quantity unit_price tax discount shipping gift_wrap cod_fee ioss_number",
    "orders_orderpersonaldata": "state country",
}
KEPT = {LegalHold.FR_ACCOUNTING: ACCOUNTING}


def kept(hold: str, table: str) -> set[str]:
    """The columns of a table that a hold leaves as they are."""
    return {*_REFERENCES[table].split(), *KEPT[LegalHold(hold)][table].split()}


def months() -> int:
    """Months that count: the setting, never more than eighteen; what is no number of months counts as eighteen."""
    wished = settings.RETENTION_NON_PII_MONTHS
    return wished if 1 <= wished <= MOST_MONTHS else MOST_MONTHS


def limit(now: datetime) -> datetime:
    """Orders made at this instant or before are so many months old at `now`."""
    return months_before(now, months())


def of_installation() -> str:
    """The hold on all stores, '' where there is none. ValueError for one nobody knows: nothing is deleted meanwhile."""
    return str(LegalHold(settings.LEGAL_HOLD)) if settings.LEGAL_HOLD else ""


def ended_before(now: datetime, zone: ZoneInfo) -> datetime:
    """Orders made before this instant are free of their hold: their fiscal year ended ten years ago, by the seller's
    calendar."""
    here = now.astimezone(zone)
    first = settings.FISCAL_YEAR_END_MONTH % 12 + 1  # month of a fiscal year
    year = here.year if here.month >= first else here.year - 1
    return datetime(year - YEARS_HELD, first, 1, tzinfo=zone)
