"""Voiding a bought label at its provider, before the parcel is voided here. A label that is refused stays as it is.

The wish is written down first (`voiding`); an answer that is not seen is asked for again: cancelling twice is cancelling
once.
"""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from orderhub.errors import ConnectorError, CredentialsRejected, OutcomeUnknown, RuleViolation, UnexpectedAnswer
from shipments import buywords
from shipments.models import LabelPurchase, Shipment
from shipments.models.shipment import LabelProvider
from shipments.providers.registry import provider_for

State = LabelPurchase.State
ACCEPTED, PENDING, REFUSED = "accepted", "pending", "refused"
AGAIN = timedelta(minutes=2)


def cancel_label(shipment: Shipment, *, now: datetime) -> None:
    """Cancel the label of a parcel, if a provider sold it. Call outside a transaction, before the parcel is voided.

    Returns only if the provider took it back, now or in some days. RuleViolation, with what to do, where it refused
    or did not answer: then the parcel must stay.
    """
    if shipment.provider == LabelProvider.MANUAL:
        return
    purchase = LabelPurchase.objects.select_related("order__store__account").filter(shipment=shipment).first()
    if purchase is None:
        raise RuleViolation(
            _("OrderHub has no record of buying this label: void it in Seller Central, where it was bought.")
        )
    cancel(purchase, now=now)


def cancel(purchase: LabelPurchase, *, now: datetime) -> None:
    """The same for a label that is in no parcel, too. Safe to repeat."""
    if purchase.state == State.VOIDED:
        return
    fresh = LabelPurchase.objects.filter(pk=purchase.pk, state__in=[State.BOUGHT, State.VOIDING])
    if not fresh.update(state=State.VOIDING, next_attempt_at=now + AGAIN):
        raise RuleViolation(_("There is no label to void: none was bought yet."))
    try:
        result = provider_for(purchase, purchase.order.store).void(purchase)
    except (OutcomeUnknown, UnexpectedAnswer):
        raise RuleViolation(
            _(
                "Amazon's answer was not seen: whether the label is void is asked again within minutes. Nothing else was changed."
            )
        ) from None
    except CredentialsRejected as error:
        _back(purchase)
        raise RuleViolation(buywords.of(error, purchase.order.order_number)) from None
    except ConnectorError:
        _back(purchase)
        raise RuleViolation(
            _("Amazon is busy or could not be reached. The label was not voided: try again in a minute.")
        ) from None
    if result.outcome == REFUSED:
        _back(purchase)
        raise RuleViolation(
            _(
                "Amazon does not take this label back, mostly because the carrier has the parcel already. Nothing was changed. (%(code)s)"
            )
            % {"code": result.reason or "–"}
        )
    if result.outcome == ACCEPTED:
        LabelPurchase.objects.filter(pk=purchase.pk, state=State.VOIDING).update(state=State.VOIDED)
    purchase.refresh_from_db(fields=["state"])


def _back(purchase: LabelPurchase) -> None:
    """The label still stands."""
    LabelPurchase.objects.filter(pk=purchase.pk, state=State.VOIDING).update(state=State.BOUGHT)


def to_ask_again(now: datetime):
    """Labels whose voiding was wished for minutes ago, and whose answer, or whose parcel's voiding, was never seen."""
    wished = Q(state=State.VOIDING, shipment__isnull=True) | Q(
        state__in=[State.VOIDING, State.VOIDED], shipment__voided_at__isnull=True, shipment__isnull=False
    )
    return LabelPurchase.objects.filter(wished, next_attempt_at__lte=now).order_by("pk")
