"""How long deliveries are kept."""

from datetime import datetime, timedelta

from orderhub.webhooks.models import Delivery

KEPT = timedelta(days=30)
KEPT_OF_ACCOUNTS = timedelta(days=400)  # longer than an authorisation: what it tells of, it tells once


def prune(*, now: datetime) -> int:
    """Delete what is older; returns how many. Safe to repeat."""
    orders, _rows = Delivery.objects.filter(created_at__lt=now - KEPT, account_id__isnull=True).delete()
    accounts, _rows = Delivery.objects.filter(created_at__lt=now - KEPT_OF_ACCOUNTS).delete()
    return orders + accounts
