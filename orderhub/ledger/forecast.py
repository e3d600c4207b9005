"""How many orders and labels are due for erasure on each of the next days, and the picture of it. Days are UTC days."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate

from orderhub.wording import short_day
from orders.models import Order
from shipments.models import Label

DAYS = 30
HEIGHT, BASE, STEP, WIDE = 100, 118, 31, 13  # of the picture, in the units of its viewBox


@dataclass(frozen=True)
class Day:
    """What is due on a day. The first also holds what is due since before it."""

    day: date
    orders: int
    labels: int


@dataclass(frozen=True)
class Bar:
    """A day in the picture: two bars, and its name where there is room for one."""

    day: str
    orders: int
    labels: int
    x: int
    orders_height: int
    labels_height: int
    named: bool
    WIDE = WIDE

    @property
    def orders_y(self) -> int:
        return BASE - self.orders_height

    @property
    def labels_y(self) -> int:
        return BASE - self.labels_height

    @property
    def labels_x(self) -> int:
        return self.x + WIDE

    @property
    def orders_middle(self) -> int:
        return self.x + WIDE // 2

    @property
    def labels_middle(self) -> int:
        return self.labels_x + WIDE // 2

    @property
    def middle(self) -> int:
        return self.x + WIDE

    @property
    def orders_above(self) -> int:
        return self.orders_y - 4

    @property
    def labels_above(self) -> int:
        return self.labels_y - 4


def due_by_day(*, now: datetime, days: int = DAYS) -> list[Day]:
    """What is due on each day, today first; two queries."""
    today = now.astimezone(UTC).date()
    end = datetime.combine(today + timedelta(days=days), time(0), UTC)
    open_orders = Order.objects.exclude(pii_state=Order.PiiState.REDACTED).filter(redaction_due_at__lt=end)
    live_labels = Label.objects.filter(redacted_at__isnull=True, due_at__lt=end)
    orders, labels = _per_day(open_orders, "redaction_due_at", today), _per_day(live_labels, "due_at", today)
    wanted = [today + timedelta(days=offset) for offset in range(days)]
    return [Day(day, orders.get(day, 0), labels.get(day, 0)) for day in wanted]


def _per_day(rows: QuerySet, column: str, today: date) -> dict[date, int]:
    counted = rows.order_by().annotate(day=TruncDate(column, tzinfo=UTC)).values("day").annotate(count=Count("pk"))
    found: dict[date, int] = {}
    for row in counted:
        day = max(row["day"], today)
        found[day] = found.get(day, 0) + row["count"]
    return found


def bars(found: list[Day]) -> list[Bar]:
    """The picture of these days: every fifth day is named."""
    most = max((max(day.orders, day.labels) for day in found), default=0) or 1
    return [
        Bar(
            short_day(day.day), day.orders, day.labels, 4 + place * STEP,
            _height(day.orders, most), _height(day.labels, most), place % 5 == 0,
        )
        for place, day in enumerate(found)
    ]  # fmt: skip


def _height(count: int, most: int) -> int:
    return max(round(count * HEIGHT / most), 2 if count else 0)
