"""Fetching one order from Amazon because somebody asks for it now, through the same rules as the import."""

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from orderhub.errors import ConnectorError, CredentialsRejected, RequestRejected, RuleViolation, TryLater
from orderhub.jobs import Busy, JobFailed, under_lease
from orders import catalogue, importing
from orders.models import Order, OrderEvent
from orders.page import PageWriter
from privacy import holds
from stores import health
from stores.connecting import connector_for
from stores.connectors.amazon.client import AccessDenied
from stores.connectors.base import OrderPage, Unreadable
from stores.models import AmazonAccount, Store

OUTCOMES = ("imported", "updated", "unchanged", "older", "skipped", "unconnected", "quarantined", "too_old")
UNKNOWN = "unknown"  # Amazon has no such order for this seller
TAKEN_IN = OUTCOMES[:4]
SAMPLE = 500  # orders that tell on which marketplaces numbers begin alike
NOT_THERE = {"NotFound", "InvalidInput"}


def import_lease(account_id: int) -> str:
    """The lease of the account's import: whoever writes orders of an account holds it."""
    return f"orders.import_account:{account_id}"


def candidates(number: str) -> list[AmazonAccount]:
    """Working accounts that may have this order: those that sell where orders have numbers that begin alike, first.

    Amazon does not say which numbers belong to which marketplace; our own orders do.
    """
    first = number[:3]
    alike = Order.objects.filter(order_number__gte=first, order_number__lt=f"{int(first) + 1:03d}").order_by()
    codes = set(alike.values_list("store__marketplace", flat=True)[:SAMPLE])
    fitting = Store.objects.filter(account=OuterRef("pk"), marketplace__in=codes)
    return list(AmazonAccount.objects.working().annotate(fits=Exists(fitting)).order_by("-fits", "pk"))


def words(outcome: str) -> str:
    """What became of a fetched order, in the reader's language."""
    return {
        "imported": _("It was taken in."),
        "updated": _("It was brought up to date."),
        "unchanged": _("Amazon says nothing new about it."),
        "older": _("OrderHub knows something newer than what Amazon just sent."),
        "skipped": _("Amazon has it, and it is left out: see the reason below."),
        "unconnected": _("Amazon has it on an order source that has no store: see below."),
        "quarantined": _("Amazon has it, and it cannot be read: see below."),
        "too_old": _(
            "Amazon has it, and it is too old: orders are kept for %(months)d months. See it in Seller Central."
        )
        % {"months": holds.months()},
    }[outcome]


def fetch(account: AmazonAccount, number: str, *, now: datetime, by=None) -> str:
    """Ask Amazon for one order of this seller and write it; safe to repeat.

    Returns what became of it, one of OUTCOMES or UNKNOWN. RuleViolation, saying what to do, where Amazon cannot be
    asked now.
    """
    if health.stop_if_expired(account, now=now) or account.status != AmazonAccount.Status.ACTIVE:
        raise RuleViolation(health.words(account))
    came: list[str | ConnectorError] = []

    def work() -> str:
        try:
            came.append(_fetch(account, number, now=now, by=by))
            return f"one order on request: {came[0]}"
        except ConnectorError as error:
            came.append(error)
            return f"one order on request: {error}"

    try:
        under_lease(import_lease(account.pk), work)
    except Busy:
        raise RuleViolation(
            _("The orders of account %(account)s are being read just now. Try again in a minute.")
            % {"account": account}
        ) from None
    except JobFailed:
        raise RuleViolation(
            _("The order could not be taken in. Tell your administrator: the error is among the job runs.")
        ) from None
    if isinstance(came[0], ConnectorError):
        raise RuleViolation(_trouble(account, came[0], now=now))
    return came[0]


def _fetch(account: AmazonAccount, number: str, *, now: datetime, by) -> str:
    try:
        page = connector_for(account).order_in_full(number)
    except RequestRejected as error:
        if error.code in NOT_THERE:
            return UNKNOWN
        raise
    catalogue.look_up_first(account, page)
    with transaction.atomic():
        counts = write(PageWriter(account, now=now), _named(page, number))
        order = account_orders(account).filter(order_number=number).first()
        if order is not None:
            OrderEvent.objects.create(order=order, kind=OrderEvent.Kind.FETCHED, at=now, actor=by)
    return next((word for word in OUTCOMES if counts[word]), UNKNOWN)


def _named(page: OrderPage, number: str) -> OrderPage:
    """What could not be read goes by the number we asked for."""
    return OrderPage(page.orders, tuple(Unreadable(number, found.code, found.path) for found in page.unreadable), None)


def write(writer: PageWriter, page: OrderPage) -> Counter:
    """Write a page without touching the cursor. What one order breaks in the database, the others do not pay."""
    try:
        with transaction.atomic():
            return writer.write(page)
    except importing.REFUSED:
        writer.forget()
        counts = sum((importing.write_alone(writer, order) for order in page.orders), Counter())
        with transaction.atomic():
            return counts + writer.write(OrderPage((), page.unreadable, None))


def account_orders(account: AmazonAccount):
    """The orders of all the account's stores."""
    return Order.objects.filter(store__account=account)


def _trouble(account: AmazonAccount, error: ConnectorError, *, now: datetime) -> str:
    """Why Amazon's answer is none, and what to do."""
    if isinstance(error, AccessDenied):
        return _("Amazon does not let account %(account)s see this order. Look at it in Seller Central.") % {
            "account": account
        }
    if isinstance(error, CredentialsRejected):
        health.stop_for(account, error, now=now)
        return health.words(account)
    if isinstance(error, TryLater):
        wait = max(1, round(error.wait_s / 60))
        return _("Amazon is busy for account %(account)s. Try again in %(minutes)d min.") % {
            "account": account,
            "minutes": wait,
        }
    return _("Amazon's answer about this order makes no sense (%(code)s). Try again later, or use Seller Central.") % {
        "code": error.code or type(error).__name__
    }
