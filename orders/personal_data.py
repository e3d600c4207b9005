"""What this app holds of people, which orders are due, and how they are erased."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Greatest

from orderhub import bulk
from orders import people
from orders.customers_erasing import CUSTOMERS
from orders.customization.erasing import CUSTOMIZATIONS
from orders.models import BuyerWord, Order, OrderEvent, OrderPersonalData
from orders.models.person import EMAIL, ERASED, KEPT
from orders.notes_erasing import NOTES
from orders.personal_purposes import PURPOSES, SHELVES  # noqa: F401  read by the registry
from orders.requested_erasing import OnRequest, candidates, reason_of_finished
from orders.strict_erasing import STRICT
from privacy import datakeys, markers
from privacy.fields import as_stored, filled, named
from privacy.registry import Candidate, Table
from stores.models import AmazonAccount

TABLES = {
    "orders_order": Table.of(
        public="id store_id order_number seller_order_id origin_marketplace status custom_status decided_status fulfilled_by programs "
        "is_business is_prime is_gift replaces replaces_as ordered_at paid_at ship_by earliest_ship_at deliver_from deliver_by "
        "service_level requested_service address_type payment_method currency item_total shipping_total tax_total discount_total "
        "gift_wrap_total cod_fee_total other_total order_total weight_g weight_is_typed custom_field_1 custom_field_2 custom_field_3",
        operational="customer_id cancel_requested_at cancel_reason_code client_key first_imported_at modified_at amazon_updated_at content_hash shipped_at told_shipped "
        "pii_state redaction_due_at redaction_rule redacted_at redaction_reason redaction_error reduced_at hold_reason hold_until "
        "own_status_id wishes rules_ran_at alert",
        staff="assigned_to_id",
    ),
    "orders_order_tags": Table.of(operational="id order_id tag_id"),
    "orders_orderitem": Table.of(
        public="id order_id amazon_item_id sku asin product_id title condition quantity quantity_shipped unit_price tax "
        "discount shipping gift_wrap cod_fee gift_wrap_level is_gift is_business_price promotions requirements "
        "scheduled_from scheduled_until ioss_number options weight_g warehouse_location is_physical"
    ),
    "orders_orderpersonaldata": Table.of(
        operational="order_id marker", pii=" ".join((*ERASED, EMAIL)), public=" ".join(KEPT)
    ),
    "orders_buyerword": Table.of(operational="id order_id", pii="word"),
    "orders_itempersonaldata": Table.of(
        operational="item_id marker state error_code attempts next_attempt_at",
        pii="customized_url customization images",
    ),
    "orders_customer": Table.of(
        operational="id merchant_id account_id key_name marker email_from_amazon phone_from_amazon created_at last_order_at redacted_at",
        pii="match_key name email phone user_name",
    ),
    "orders_ordernote": Table.of(operational="id order_id at marker", staff="author_id", pii="text"),
    "orders_tag": Table.of(operational="id name level"),
    "orders_savedview": Table.of(operational="id name query shared", staff="owner_id"),
    "orders_product": Table.of(
        public="id store_id key sku asin title photo weight_g length_mm width_mm height_mm warehouse_location is_physical",
        operational="stock_on_hand stock_confirmed_at sent_when_counted stock_listed stock_fba stock_checked_at "
        "looked_up_at created_at",
        staff="stock_confirmed_by_id",
    ),
    "orders_catalogueitem": Table.of(
        public="id marketplace asin title is_physical image_url image weight_g length_mm width_mm height_mm",
        operational="state image_error looked_up_at next_lookup_at attempts",
    ),
    "orders_automationrule": Table.of(
        operational="id name position active criteria actions stops broken_at broken_code changed_at",
        staff="changed_by_id",
    ),
    "orders_rulefiring": Table.of(operational="order_id at trace"),
    "orders_historyread": Table.of(
        operational="id account_id kind marketplaces created_after created_before page_token pages seen missing late "
        "started_at next_at finished_at error_code"
    ),
    "orders_orderevent": Table.of(operational="id order_id at kind params", staff="actor_id"),
    "orders_skippedorder": Table.of(operational="id store_id order_number reason amazon_status seen_at"),
    "orders_quarantinedorder": Table.of(operational="id account_id order_number code path times seen_at"),
}


class _Subjects(OnRequest):
    """Orders as subjects of erasure; see privacy.registry.Subjects."""

    def claim(self, *, now: datetime, limit: int, skip: set[int]) -> list[Candidate]:
        with transaction.atomic():
            unfinished = candidates(self._unfinished().exclude(pk__in=skip)[:limit])
            due = candidates(
                self._due(now)
                .exclude(pk__in=skip)
                .select_for_update(skip_locked=True, of=("self",))[: limit - len(unfinished)]
            )
            if due:
                Order.objects.filter(pk__among=[row.order_id for row in due]).update(
                    pii_state=Order.PiiState.REDACTING, modified_at=Greatest("modified_at", Value(now))
                )
        return [*unfinished, *due]

    def due_between(self, *, now: datetime, until: datetime) -> list[Candidate]:
        return [*candidates(self._unfinished()), *candidates(self._due(until))]

    def finish(self, order_ids: list[int], *, now: datetime) -> None:
        with transaction.atomic():
            # Locked before it is read: of two redactors, the second finds nothing left to finish
            done = self._unfinished().filter(pk__among=order_ids).select_for_update().order_by("pk")
            finished = list(done.values_list("pk", "redaction_rule"))
            Order.objects.filter(pk__among=[pk for pk, _rule in finished]).update(
                pii_state=Order.PiiState.REDACTED,
                redacted_at=now,
                redaction_reason=reason_of_finished(),
                modified_at=Greatest("modified_at", Value(now)),  # clients that keep copies look for it (R97)
                redaction_error="",
            )
            bulk.insert(
                [
                    OrderEvent(order_id=pk, kind=OrderEvent.Kind.REDACTED, at=now, params={"rule": rule})
                    for pk, rule in finished
                ]
            )

    def fail(self, order_id: int, *, error: str) -> None:
        Order.objects.filter(pk=order_id).update(redaction_error=error[:60])

    def overdue(self, *, now: datetime) -> int:
        return self._open().filter(redaction_due_at__lt=now).count()

    def begun(self) -> list[tuple[Candidate, str]]:
        errors = dict(self._unfinished().values_list("pk", "redaction_error"))
        return [(found, errors.get(found.order_id, "")) for found in candidates(self._unfinished())]

    def late(self, *, now: datetime, unmasked: bool = False) -> QuerySet:
        late = self._open().filter(redaction_due_at__lt=now)
        return late.exclude(pii_state__in=Order.PiiState.MASKED) if unmasked else late

    def clock_ahead_s(self, *, now: datetime) -> int | None:
        return AmazonAccount.objects.clock_ahead_s(now)

    @staticmethod
    def _open():
        """Not erased yet. Said that way round, so that no state can be forgotten."""
        return Order.objects.exclude(pii_state=Order.PiiState.REDACTED)

    def _due(self, now: datetime):
        begun = Order.PiiState.REDACTING
        return (
            self._open().exclude(pii_state=begun).filter(redaction_due_at__lte=now).order_by("redaction_due_at", "pk")
        )

    def _unfinished(self):
        return self._open().filter(pii_state=Order.PiiState.REDACTING).order_by("redaction_due_at", "pk")


def erasable() -> tuple[str, ...]:
    """The columns that an erasure overwrites, by this installation's settings; the e-mail has a rule of its own."""
    return (*ERASED, "postal_code") if settings.REDACT_POSTCODE == "full" else ERASED


class _Holder:
    """The narrow table of persons; see privacy.registry.Holder."""

    def destroy_files(self, order_ids: list[int], *, now: datetime) -> dict[int, int]:
        return {}

    def redact_due_files(self, *, now: datetime, marker: str) -> Iterator[tuple[int, str]]:
        return iter(())

    def overwrite(self, order_ids: list[int], *, marker: str, now: datetime) -> dict[int, list[str]]:
        """An empty field stays empty, a relay address stays as it is, a second run changes nothing.

        The rows are locked first, in the order in which an import locks them, so that neither waits for the other in
        turn.
        """
        persons = OrderPersonalData.objects.filter(order__among=order_ids, marker="")
        names = erasable()
        rows = persons.select_for_update().order_by("pk").values_list("pk", filled(names), as_stored(EMAIL))
        held: dict[int, list[str]] = {}
        relayed: list[int] = []
        for pk, bits, address in rows:
            held[pk] = list(named(names, bits))
            if markers.is_relay(address):
                relayed.append(pk)
            elif address:
                held[pk].append(EMAIL)
        if held:
            changes = {name: _unless_empty(name, marker) for name in names}
            kept = Q(**{EMAIL: ""}) | Q(pk__among=relayed) if relayed else Q(**{EMAIL: ""})
            changes[EMAIL] = Case(When(kept, then=F(EMAIL)), default=Value(marker), output_field=TextField())
            persons.filter(pk__among=list(held)).update(marker=marker, **changes)
        self._forget(order_ids)
        return held

    @staticmethod
    def _forget(order_ids: list[int]) -> None:
        """The key goes with the values, and so does every copy of them; so do the words they were found by."""
        datakeys.destroy(f"order:{pk}" for pk in order_ids)
        people.forget(order_ids)

    def leftovers(self, order_ids: list[int], *, now: datetime) -> set[int]:
        """Orders whose row is not marked, or holds a column that is neither empty nor the marker."""
        rows = OrderPersonalData.objects.filter(order__among=order_ids)
        bad = Q(marker="")
        for name in erasable():
            bad |= ~Q(**{name: ""}) & ~Q(**{name: F("marker")})
        left = set(rows.filter(bad).values_list("pk", flat=True))
        addresses = rows.exclude(buyer_email="").exclude(buyer_email=F("marker")).values_list("pk", as_stored(EMAIL))
        left |= {pk for pk, address in addresses if not markers.is_relay(address)}
        return left | set(BuyerWord.objects.filter(order__among=order_ids).values_list("order", flat=True))


def _unless_empty(name: str, marker: str) -> Case:
    return Case(When(**{name: ""}, then=Value("")), default=Value(marker))


SUBJECTS = _Subjects()
PERSONS = _Holder()
HOLDERS = (STRICT, CUSTOMIZATIONS, NOTES, PERSONS, CUSTOMERS)
