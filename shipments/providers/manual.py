"""Our own label, its tracking number typed in. Nobody sells it, nobody reports its scans (R80)."""

from datetime import datetime

from shipments.models.shipment import LabelProvider
from shipments.providers.base import Bought, ParcelFacts, Rate, Scan, VoidResult


class Manual:
    """The provider of what was bought elsewhere: there is nothing to ask and nothing to void."""

    confirms_order = False

    def quote(self, order, parcel: ParcelFacts, *, now: datetime) -> list[Rate]:
        return []

    def buy(self, purchase) -> Bought:
        """The number as it was typed, as a label of ours."""
        return Bought(
            provider=LabelProvider.MANUAL, provider_ref="", tracking_number=purchase.tracking_number,
            carrier=purchase.carrier, service=purchase.service, tracked=False, confirms_order=False,
        )  # fmt: skip

    def document(self, purchase) -> bytes:
        return b""

    def void(self, purchase) -> VoidResult:
        return VoidResult("accepted")

    def track(self, purchase) -> list[Scan]:
        return []

    def parcels_there(self, order) -> set[str]:
        return set()
