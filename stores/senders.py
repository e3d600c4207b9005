"""The sender of mails to buyers. Amazon delivers only from addresses the seller approved in Seller Central (R61)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from stores.models import Store


def confirm_sender(store: Store, address: str, *, by, now: datetime) -> Store:
    """Keep that `by` has approved exactly this address in Seller Central. Returns the store as it is now.

    RuleViolation if the store sends from another address meanwhile: approving one and sending from the other would
    lose mails. Safe to repeat: who confirmed first stays.
    """
    with transaction.atomic():
        fresh = Store.objects.select_for_update().get(pk=store.pk)
        if not address or address != fresh.sender:
            raise RuleViolation(
                _("The sender changed meanwhile: it is %(address)s now. Add that address in Seller Central, then confirm.")
                % {"address": fresh.sender}
            )  # fmt: skip
        if not fresh.sender_approved:
            fresh.approved_sender = address
            fresh.approved_sender_confirmed_at, fresh.approved_sender_confirmed_by = now, by
            fresh.save(
                update_fields=["approved_sender", "approved_sender_confirmed_at", "approved_sender_confirmed_by"]
            )  # fmt: skip
    return fresh


def forget_confirmation(store: Store) -> None:
    """Another address was typed: what was confirmed before no longer counts, not even if it comes back. Repeatable."""
    store.approved_sender, store.approved_sender_confirmed_at, store.approved_sender_confirmed_by = "", None, None
    store.save(update_fields=["approved_sender", "approved_sender_confirmed_at", "approved_sender_confirmed_by"])
