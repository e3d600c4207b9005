"""Orders that somebody wants erased now, due or not: how they are marked, and found again in a restored backup."""

from collections import defaultdict
from datetime import datetime

from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from orders.models import Order
from privacy import markers
from privacy.registry import Candidate

PiiState = Order.PiiState
RGPD = markers.REASONS[markers.RGPD]


class OnRequest:
    """Part of the subjects of erasure; see privacy.registry.Subjects. Every method is safe to repeat."""

    def take(self, order_ids: list[int], *, now: datetime, marker: str, rule: str) -> list[Candidate]:
        """One whose erasure has begun already keeps the marker it began with; a due date never moves later."""
        with transaction.atomic():
            open_ones = self._standing(order_ids).exclude(pii_state=PiiState.REDACTING)
            fresh = list(open_ones.select_for_update().order_by("pk").values_list("pk", flat=True))
            Order.objects.filter(pk__in=fresh).update(
                pii_state=PiiState.REDACTING, redaction_reason=markers.REASONS[marker], redaction_rule=rule,
                modified_at=now, redaction_due_at=Case(When(redaction_due_at__lt=now, then=F("redaction_due_at")), default=Value(now)),
            )  # fmt: skip
        return candidates(self._standing(order_ids).order_by("pk"))

    def standing(self, order_ids: list[int]) -> list[int]:
        return list(self._standing(order_ids).order_by("pk").values_list("pk", flat=True))

    def references(self, order_ids: list[int]) -> list[tuple[int, int, str]]:
        unbegun = self._standing(order_ids).exclude(pii_state=PiiState.REDACTING).order_by("pk")
        return list(unbegun.values_list("pk", "store_id", "order_number"))

    def ids_of(self, references: list[tuple[int, str]]) -> list[int]:
        numbers = defaultdict(list)
        for store_id, number in references:
            numbers[store_id].append(number)
        wanted = Q(pk__in=[])
        for store_id, found in numbers.items():
            wanted |= Q(store_id=store_id, order_number__in=found)
        return list(Order.objects.filter(wanted).order_by("pk").values_list("pk", flat=True))

    @staticmethod
    def _standing(order_ids: list[int]):
        """Not erased yet. Amazon's own parcels never had a person."""
        mine = Order.objects.filter(pk__among=order_ids, fulfilled_by=Order.FulfilledBy.MERCHANT)
        return mine.exclude(pii_state=PiiState.REDACTED)


def candidates(orders) -> list[Candidate]:
    """Orders as the engine sees them. `marker`: their own where the erasure was asked for, else the sweep's."""
    rows = orders.values_list("pk", "order_number", "redaction_rule", "redaction_due_at", "redaction_reason")
    return [Candidate(*row, markers.RGPD if reason == RGPD else "") for *row, reason in rows]


def reason_of_finished() -> Case:
    """What `redaction_reason` becomes when an erasure is done: as it was begun, else Amazon's."""
    return Case(When(redaction_reason=RGPD, then=Value(RGPD)), default=Value(markers.REASONS[markers.AMAZON]))
