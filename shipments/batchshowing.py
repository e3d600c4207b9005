"""What the page of a batch shows, in a number of queries that does not depend on its rows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from orderhub.wording import amount, day_and_time
from shipments import batchchecking, batching, batchtyping, carriers, quoting
from shipments.batchchecking import Verdict
from shipments.forms_batch import written_size
from shipments.models import LabelBatch, LabelBatchRow, Shipment, ShipmentNotification
from shipments.models.batch import RowState
from shipments.models.notification import NotificationState

ON_A_PAGE = 50
TONE = {RowState.WAITING: "muted", RowState.RUNNING: "info", RowState.DONE: "ok", RowState.FAILED: "bad"}
STATE_TONE = {
    LabelBatch.State.DRAFT: "muted", LabelBatch.State.PRICING: "info", LabelBatch.State.RUNNING: "info",
    LabelBatch.State.DONE: "ok",
}  # fmt: skip


@dataclass
class RowShown:
    """One row with its fields. `raw`: what was typed and could not be taken."""

    verdict: Verdict
    raw: dict[str, str] = field(default_factory=dict)

    @property
    def row(self) -> LabelBatchRow:
        return self.verdict.row

    @property
    def by_default(self) -> str:
        """The carrier it goes with unless its own is chosen."""
        return carrier_name(self.row.batch) or "–"

    @property
    def default_service(self) -> str:
        """The service it goes with unless its own is typed."""
        batch = self.row.batch
        return batch.service if self.verdict.carrier == batch.carrier else ""

    @property
    def tracking_number(self) -> str:
        return self.raw.get("tracking_number", self.row.tracking_number)

    @property
    def service(self) -> str:
        return self.raw.get("service", self.row.service)

    @property
    def weight(self) -> str:
        return self.raw.get("weight_g", str(self.row.weight_g or ""))

    @property
    def size(self) -> str:
        return self.raw.get("size", written_size(self.row))

    @property
    def weight_is_wrong(self) -> bool:
        return _is_refused(batchtyping.grams, self.raw.get("weight_g", ""))

    @property
    def size_is_wrong(self) -> bool:
        return _is_refused(batchtyping.sides, self.raw.get("size", ""))

    @property
    def known_weight(self) -> str:
        """What goes for it unless a weight is typed."""
        return str(self.verdict.known.get("weight_g", ""))

    @property
    def known_size(self) -> str:
        sides = [self.verdict.known.get(side) for side in quoting.SIDES]
        return " × ".join(map(str, sides)) if all(sides) else ""

    @property
    def arrives(self) -> str:
        """By when, in the store's time zone."""
        rate = self.verdict.rate
        return day_and_time(rate.deliver_by.astimezone(self.row.order.store.zone)) if rate and rate.deliver_by else ""

    @property
    def before(self) -> str:
        """Why no label was made the last time, where nothing stands in its way now."""
        return why_failed(self.row) if self.row.state == RowState.FAILED and not self.verdict.error else ""


def _is_refused(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return True
    return False


def carrier_name(batch: LabelBatch) -> str:
    return carriers.named(batch.carrier).name if batch.carrier else ""


def why_failed(row: LabelBatchRow) -> str:
    """The stored sentence, or what its code means."""
    if row.error == batching.POISON:
        return _("Making this label stopped three times without an end. Try it again, or ship the order on its page.")
    if row.error == batching.STOPPED:
        return _("Somebody stopped the batch before this label was made.")
    if row.error == batching.UNPRICED:
        return _("The price of this label had not been asked for.")
    return row.error


@dataclass
class Tally:
    """How far the rows are; one aggregate."""

    total: int
    done: int
    failed: int

    @property
    def ended(self) -> int:
        return self.done + self.failed

    @property
    def left(self) -> int:
        return self.total - self.ended


def counts(of: str = "") -> dict[str, Count]:
    """Aggregates of rows; `of`: how they are reached, as `rows__`."""
    return {
        "total": Count(f"{of}pk"), "done": Count(f"{of}pk", filter=Q(**{f"{of}state": RowState.DONE})),
        "failed": Count(f"{of}pk", filter=Q(**{f"{of}state": RowState.FAILED})),
    }  # fmt: skip


def tally(batch: LabelBatch) -> Tally:
    return Tally(**batch.rows.order_by().aggregate(**counts()))


def asked(batch: LabelBatch) -> tuple[int, int]:
    """How many rows the provider answered for, and how many it was asked for."""
    rows = batch.rows.filter(offer__has_key="parcel", shipment=None)
    found = rows.aggregate(all=Count("pk"), answered=Count("pk", filter=Q(offer__has_any_keys=["rate", "refused"])))
    return found["answered"], found["all"]


def parts(count: int, *, size: int) -> list[tuple[int, int, int]]:
    """Number, first and last of each part, where so many are printed in documents of `size`."""
    return [(start // size + 1, start + 1, min(start + size, count)) for start in range(0, count, size)]


def worth(checked: batchchecking.Checked) -> str:
    """What the labels that can be made cost together: `53.20 USD`, by currency."""
    return " + ".join(amount(value, currency) for value, currency in checked.total)


def spent(batch: LabelBatch) -> str:
    """What its labels cost that were bought and not voided."""
    bought = Shipment.objects.filter(batch_row__batch=batch, voided_at=None, cost__isnull=False)
    sums = bought.order_by("cost_currency").values_list("cost_currency").annotate(total=Sum("cost"))
    return " + ".join(amount(total, currency) for currency, total in sums)


def stores(batch: LabelBatch) -> list[dict]:
    """Counts by store, by its name."""
    rows = batch.rows.order_by("order__store__name", "order__store").values("order__store", "order__store__name")
    return [
        {"name": row["order__store__name"], "total": row["total"], "done": row["done"], "failed": row["failed"]}
        for row in rows.annotate(**counts())
    ]


def notices(batch: LabelBatch) -> list[tuple[str, int]]:
    """How many notices to Amazon of this batch's parcels are in which state."""
    told = ShipmentNotification.objects.filter(shipment__batch_row__batch=batch, channel="amazon", correction_of=None)
    if batch.buys:  # Amazon confirms them itself
        count = told.count()
        return [(_("told by Amazon’s own label"), count)] if count else []
    found = told.order_by().values_list("state").annotate(count=Count("pk"))
    names = dict(NotificationState.choices)
    return [(str(names[state]), count) for state, count in sorted(found)]


def results(batch: LabelBatch, *, page: str, failed_only: bool) -> Page:
    """Rows grouped by store. Those that failed have their own form once the batch is done."""
    rows = batch.rows.select_related("order__store", "shipment").prefetch_related("shipment__notifications")
    if failed_only:
        rows = rows.filter(state=RowState.FAILED)
    elif batch.state == LabelBatch.State.DONE:
        rows = rows.filter(state=RowState.DONE)
    found = Paginator(rows.order_by("order__store__name", "order__store", "position"), ON_A_PAGE).get_page(page)
    for row in found:
        row.tone, row.told = TONE[row.state], why_failed(row)
        notices_of = row.shipment.notifications.all() if row.shipment else []
        row.notice = next((notice for notice in notices_of if notice.is_first_word), None)
    return found


def editor(batch: LabelBatch, *, now: datetime, page: str, problems_only: bool, raw: dict | None = None) -> dict:
    """The rows that can be typed for, with what stands in their way."""
    checked = batchchecking.check(batch, now=now)
    shown = checked.doubtful if problems_only else checked.verdicts
    found = Paginator(shown, ON_A_PAGE).get_page(page)
    found.object_list = [RowShown(verdict, (raw or {}).get(verdict.row.pk, {})) for verdict in found.object_list]
    return {
        "checked": checked, "rows": found, "fit": len(checked.fit), "unfit": len(checked.unfit),
        "doubtful": len(checked.doubtful) - len(checked.unfit), "to_price": len([v for v in checked.to_price if not v.error]),
        "prices_to_ask": bool(checked.to_price), "sum": worth(checked), "carriers": carriers.choices(),
        "numbered": sum(bool(found.row.tracking_number) for found in checked.verdicts),
    }  # fmt: skip
