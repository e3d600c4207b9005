"""What will be erased in the next days."""

from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError

from orderhub import clock
from orderhub.ledger import preview


class Command(BaseCommand):
    help = "List what would be erased in the next days, by rule and order by order. Erases nothing."

    def add_arguments(self, parser):
        parser.add_argument("--days", type=int, default=preview.USUAL_DAYS, help="0 to 60; default: 7")
        parser.add_argument("--summary", action="store_true", help="the counts by rule only")

    def handle(self, *, days: int, summary: bool, **options):
        if not 0 <= days <= preview.MOST_DAYS:
            raise CommandError(f"--days takes 0 to {preview.MOST_DAYS}")
        until = clock.now() + timedelta(days=days)
        counts = preview.by_rule(until)
        for count in counts:
            self.stdout.write(f"{count.rule:<9}  {count.orders:>7} orders  {count.labels:>7} labels")
        if not summary:
            self._list(until)
        orders, labels = sum(count.orders for count in counts), sum(count.labels for count in counts)
        self.stdout.write(f"{orders} orders, {labels} labels due by {until:%Y-%m-%d %H:%M}Z; nothing erased")

    def _list(self, until) -> None:
        rows = preview.orders(until).values_list("redaction_due_at", "redaction_rule", "order_number")
        for due_at, rule, number in rows.iterator():
            self.stdout.write(f"{due_at:%Y-%m-%d %H:%M}Z  {rule:<9}  {number}")
        rows = preview.labels(until).values_list("due_at", "due_rule", "shipment__order__order_number", "pk")
        for due_at, rule, number, pk in rows.iterator():
            self.stdout.write(f"{due_at:%Y-%m-%d %H:%M}Z  {rule:<9}  {number}  label {pk}")
