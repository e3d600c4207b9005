"""Saving a store's settings, and what follows from them, whoever changes them."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from stores import connecting, marketplaces, senders
from stores.models import Store


def write(store: Store, changed: Iterable[str]) -> None:
    """Write these settings of the row in hand, and no others: whoever switches a feature meanwhile is not overruled.

    Another address of the sender has to be confirmed anew.
    """
    columns = {column.name for column in Store._meta.concrete_fields} & set(changed)
    store.save(update_fields=[*columns, "ship_from", "notify_delay_minutes"])
    if "brand_from_email" in columns:
        senders.forget_confirmation(store)


def follow(store: Store, changed: Iterable[str], *, remapped: bool = False) -> None:
    """A store made active, or taking Amazon's own orders too, gets those it left out; a changed status map (`remapped`)
    reaches its own. Call in the transaction that wrote the settings."""
    names = set(changed)
    opened = store.active and ("active" in names or ("import_afn" in names and store.import_afn))
    if store.account and (opened or remapped):
        connecting.read_again(store.account, [store.market.id])


def remap(store: Store, *, now: datetime) -> None:
    """The names of the status map change: orders that wear one are others to clients. Call before the map is written."""
    store.orders.exclude(own_status=None).move(now)


def switch(store: Store, *, active: bool) -> bool:
    """Let a store take orders in, or not any more; whether that was a change. RuleViolation for Amazon.co.jp."""
    if store.marketplace == marketplaces.JAPAN:
        raise RuleViolation(_("Amazon.co.jp is switched on and off by customer success only, on the store's page."))
    with transaction.atomic():
        if not Store.objects.filter(pk=store.pk, active=not active).update(active=active):
            return False
        store.active = active
        follow(store, ["active"])
    return True
