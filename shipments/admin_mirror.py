"""Notices to linked BigCommerce stores among the others: read with what they wait for, and retried by their own rules."""

from collections.abc import Iterable
from itertools import groupby

from django.contrib import messages

from orderhub import clock
from orderhub.errors import RuleViolation
from orderhub.jobs import enqueue
from orderhub.wording import about
from shipments import mirrorwords, pushing
from shipments.jobs import mirror_shop
from shipments.models import ShipmentNotification


class MirrorDoors:
    """For the admin of notices."""

    def get_queryset(self, request):
        return super().get_queryset(request).with_mirror_standing()

    def retry_mirrors(self, request, rows: Iterable[ShipmentNotification]) -> list[ShipmentNotification]:
        """Retry those to BigCommerce, say what came of each, and wake each store once; returns the others."""
        others, told, shops, gate = [], [], set(), pushing.Gate(clock.now())
        for row in rows:
            if row.channel != row.Channel.BIGCOMMERCE:
                others.append(row)
                continue
            try:
                pushing.push(row, by=request.user, now=clock.now(), gate=gate)
            except RuleViolation as error:
                self.message_user(request, about(row.order.order_number, str(error)), messages.ERROR)
                continue
            told.append((mirrorwords.retried(row), row.order.order_number))
            if not mirrorwords.is_held(row):
                shops.add(row.order.store.linked_store_id)
        for shop_id in sorted(shops):
            enqueue(mirror_shop, shop_id)
        for sentence, found in groupby(sorted(told), key=lambda pair: pair[0]):
            numbers = ", ".join(number for _sentence, number in found)
            self.message_user(request, sentence % {"numbers": numbers}, messages.SUCCESS)
        return others
