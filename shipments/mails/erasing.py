"""Forgets to whom mails went, and sends none of those that wait, when their order is erased (R93)."""

from collections.abc import Iterator
from datetime import datetime

from orderhub import mailfiles
from orders.models import OrderEvent
from shipments.mails.deciding import ERASED
from shipments.models import OutgoingMail

State = OutgoingMail.State


class _Mails:
    """Who got mails; see privacy.registry.Holder. A mail is put together when it is sent, and not kept."""

    def destroy_files(self, order_ids: list[int], *, now: datetime) -> dict[int, int]:
        """Where mails are files instead, as outside production, all of them go: none says whose it is."""
        if OutgoingMail.objects.filter(order__among=order_ids).exclude(recipient_hash="").exists():
            mailfiles.wipe()
        return {}

    def overwrite(self, order_ids: list[int], *, marker: str, now: datetime) -> dict[int, list[str]]:
        held = self._hashes(order_ids).select_for_update().order_by("pk")
        found = {order_id: ["mail.recipient_hash"] for order_id in held.values_list("order", flat=True)}
        if found:
            self._hashes(order_ids).update(recipient_hash="")
        self._cancel(order_ids, now=now)
        return found

    def leftovers(self, order_ids: list[int], *, now: datetime) -> set[int]:
        rows = [*self._hashes(order_ids), *self._waiting(order_ids)]
        return {row.order_id for row in rows}

    def redact_due_files(self, *, now: datetime, marker: str) -> Iterator[tuple[int, str]]:
        yield from ()

    def _cancel(self, order_ids: list[int], *, now: datetime) -> None:
        waiting = list(self._waiting(order_ids).select_for_update().order_by("pk"))
        if not waiting:
            return
        self._waiting(order_ids).update(state=State.CANCELLED, reason=ERASED)
        OrderEvent.objects.bulk_create(
            OrderEvent(
                order_id=row.order_id, kind=OrderEvent.Kind.MAIL, at=now,
                params={"mail": str(row.kind), "outcome": ERASED},
            )
            for row in waiting
        )  # fmt: skip

    @staticmethod
    def _hashes(order_ids: list[int]):
        return OutgoingMail.objects.filter(order__among=order_ids).exclude(recipient_hash="")

    @staticmethod
    def _waiting(order_ids: list[int]):
        return OutgoingMail.objects.filter(order__among=order_ids, state=State.PENDING)


MAILS = _Mails()
