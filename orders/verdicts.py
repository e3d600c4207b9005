"""What became of an order number, in a sentence, and the one thing to do about it. Pure: from the facts of tracing.py."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from orderhub.wording import utc
from orders.models import Order, QuarantinedOrder, SkippedOrder
from stores import health, marketplaces
from stores.models import AmazonAccount, Store, UnconnectedOrder

BEHIND = timedelta(minutes=30)  # an account read less far is not up to date
Reason = SkippedOrder.Reason
Status = Order.Status


@dataclass(frozen=True)
class Action:
    """What to do next: open a page, or fetch the order from Amazon: for one account, or for whichever has it.

    `right`: what the page asks for, '' where everybody who reads this may open it.
    """

    label: str
    url: str = ""
    account: int | None = None
    right: str = ""

    @property
    def fetches(self) -> bool:
        return not self.url


@dataclass(frozen=True)
class Verdict:
    """A sentence and at most one action. `level`: ok, info, warn, bad."""

    text: str
    level: str
    action: Action | None = None


@dataclass(frozen=True)
class Facts:
    """Everything known about a number. `connected`: (account, order source) that have a store by now."""

    number: str
    is_amazons: bool
    may_fetch: bool
    orders: list[Order] = field(default_factory=list)
    skipped: list[SkippedOrder] = field(default_factory=list)
    unconnected: list[UnconnectedOrder] = field(default_factory=list)
    unreadable: list[QuarantinedOrder] = field(default_factory=list)
    connected: set[tuple[int, str]] = field(default_factory=set)
    accounts: list[AmazonAccount] = field(default_factory=list)

    @property
    def concerned(self) -> list[AmazonAccount]:
        """Accounts that have, or had, to do with this order."""
        rows = [row.store.account_id for row in (*self.orders, *self.skipped)]
        ids = {*rows, *(row.account_id for row in (*self.unconnected, *self.unreadable))}
        return [account for account in self.accounts if account.pk in ids]


def of(facts: Facts, *, now: datetime) -> Verdict:
    """The first of what explains it: it is here, it was left out, nobody connected its source, it could not be read;
    else an account that stopped or lags, and last that nobody here knows it."""
    if facts.orders:
        return _here(facts.orders[0])
    if facts.skipped:
        return _skipped(facts.skipped[0], facts)
    if facts.unconnected:
        return _unconnected(facts.unconnected[0], facts)
    if facts.unreadable:
        return _unreadable(facts.unreadable[0], facts)
    if not facts.is_amazons:
        return Verdict(
            _(
                "No order has this number, and it is not one of Amazon's: those have 3, 7 and 7 digits, such as 123-1234567-1234567. Check the number."
            ),
            "warn",
        )
    return _nowhere(facts, now=now)


def source(marketplace_id: str) -> str:
    market = marketplaces.BY_ID.get(marketplace_id)
    return market.label if market else marketplace_id


def is_behind(account: AmazonAccount, *, now: datetime) -> bool:
    """Whether orders of the last half hour or more may still be on their way."""
    return bool(account.page_token) or account.imported_until is None or account.imported_until < now - BEHIND


def lag_rank(account: AmazonAccount, *, now: datetime) -> tuple:
    """Stopped accounts first, then those that lag, longest first."""
    working = account.status == AmazonAccount.Status.ACTIVE
    return working, not is_behind(account, now=now), account.imported_until or now, account.pk


def _account_page(account_id: int) -> Action:
    return Action(_("Open the account"), _page("stores_amazonaccount", account_id), right="stores.view_amazonaccount")


def _page(name: str, pk: int) -> str:
    return reverse(f"admin:{name}_change", args=[pk])


def _fetch(facts: Facts, account: AmazonAccount | None = None) -> Action | None:
    """Only for those who may; a stopped account cannot be asked."""
    if not facts.may_fetch or (account and account.status != AmazonAccount.Status.ACTIVE):
        return None
    return Action(_("Fetch from Amazon now"), account=account.pk if account else None)


def _renew(account: AmazonAccount) -> Verdict:
    told = _("The order is not here, and account %(account)s has stopped. %(words)s") % {
        "account": account, "words": health.words(account),
    }  # fmt: skip
    return Verdict(told, "bad", _account_page(account.pk))


def _here(order: Order) -> Verdict:
    told = _("Order %(number)s is in store “%(store)s”, status: %(status)s.") % {
        "number": order.order_number, "store": order.store, "status": order.get_status_display(),
    }  # fmt: skip
    refusal = order.why_not_shippable()
    done = order.status == Status.SHIPPED
    if order.status == Status.AWAITING_SHIPMENT and not refusal:
        refusal, done = _("It can be sent now."), True
    level = "ok" if done else "info" if order.status == Status.CANCELLED else "warn"
    return Verdict(f"{told} {refusal}".strip(), level, Action(_("Open the order"), _page("orders_order", order.pk)))


def _skipped(row: SkippedOrder, facts: Facts) -> Verdict:
    store = row.store
    settings_page = Action(_("Open the store's settings"), _page("stores_store", store.pk), right="stores.view_store")
    words = {"store": store}
    if row.reason == Reason.AFN_OFF and not store.import_afn:
        told = _(
            "Amazon ships this order itself, and store “%(store)s” does not take such orders in. Tick “import Amazon-fulfilled orders” in its settings: it comes in once Amazon has shipped it."
        )
        return Verdict(told % words, "warn", settings_page)
    if row.reason == Reason.INACTIVE and not store.active:
        return Verdict(_inactive(store), "warn", settings_page)
    if row.reason == Reason.AFN_NOT_SHIPPED:
        told = _("Amazon ships this order itself and has not done so yet: it comes in by then. There is nothing to do.")
        return Verdict(told, "info")
    if row.reason == Reason.NOT_PHYSICAL:
        told = _("Nothing in this order has to be sent: it was left out. There is nothing to do.")
        return Verdict(told, "info")
    told = _("Store “%(store)s” left this order out; by its settings of today it takes it in. Fetch it now.") % words
    return Verdict(told, "warn", _fetch(facts, store.account))


def _inactive(store: Store) -> str:
    if store.marketplace == marketplaces.JAPAN and not store.japan_enabled:
        told = _("Store “%(store)s” waits for customer success to enable Amazon.co.jp: its orders come in then.")
    else:
        told = _("Store “%(store)s” is not active. Activate it: its orders of the last %(days)d days come in by then.")
    return told % {"store": store, "days": settings.IMPORT_BACKFILL_DAYS}


def _unconnected(row: UnconnectedOrder, facts: Facts) -> Verdict:
    market = marketplaces.BY_ID.get(row.marketplace_id)
    if market and (row.account_id, market.code) in facts.connected:
        told = _("Its order source, %(source)s, was connected since: its past orders are being read. Or fetch it now.")
        return Verdict(told % {"source": market.label}, "info", _fetch(facts, row.account))
    told = _(
        "This order was made on %(source)s, which account %(account)s has no store for. Connect this order source."
    )
    words = {"source": source(row.marketplace_id), "account": row.account}
    return Verdict(told % words, "warn", _account_page(row.account_id))


def _unreadable(row: QuarantinedOrder, facts: Facts) -> Verdict:
    told = _(
        "Amazon sent something in this order that OrderHub cannot read (%(code)s). Fetch it again; if that does not help, handle it in Seller Central and tell your administrator."
    )
    return Verdict(told % {"code": row.code}, "bad", _fetch(facts, row.account))


def _nowhere(facts: Facts, *, now: datetime) -> Verdict:
    if not facts.accounts:
        return Verdict(
            _("No Amazon account is connected yet. Connect the one this order was made with."), "warn",
            Action(
                _("Connect an account"), reverse("admin:stores_amazonaccount_add"), right="stores.add_amazonaccount"
            ),
        )  # fmt: skip
    ranked = sorted(facts.accounts, key=lambda account: lag_rank(account, now=now))
    if ranked[0].status != AmazonAccount.Status.ACTIVE:
        return _renew(ranked[0])
    if is_behind(ranked[0], now=now):
        told = _(
            "Not read yet, perhaps: account %(account)s is read until %(until)s only, and goes on at %(next)s. Wait, or fetch the order now."
        )
        words = {
            "account": ranked[0], "until": utc(ranked[0].imported_until),
            "next": utc(max(now, ranked[0].next_poll_at or now)),
        }  # fmt: skip
        return Verdict(told % words, "warn", _fetch(facts))
    told = _(
        "Nobody here has seen this order. It may be older than the %(days)d days that are read when an account is connected, some minutes old, or another seller's. Ask Amazon for it."
    )
    told = told % {"days": settings.IMPORT_BACKFILL_DAYS}
    if not facts.may_fetch:
        told += " " + _("Your role may not: ask support to fetch it.")
    return Verdict(told, "warn", _fetch(facts))
