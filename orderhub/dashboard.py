"""What the start page says: counted work, one picture, the last jobs. A constant number of queries.

Each card leads to a list that holds exactly what was counted, and is made only for those who may open that list.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Min, Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub import keystates, killswitch
from orderhub.ledger import doors as ledger
from orderhub.ledger import forecast
from orderhub.models import JobRun
from orderhub.views import HEARTBEAT, LATE
from orderhub.webhooks import words as webhook_words
from orderhub.wording import weekday
from orders import deadlines, filters, history, radar
from orders.models import Order, QuarantinedOrder
from privacy import audit_words, deadman, quota, reviewing
from shipments import manual_updates
from shipments.models import ManualUpdate, ShipmentNotification
from stores import authorizations, health, linking, secrets, words
from stores.marketplaces import BY_ID
from stores.models import AmazonAccount, UnconnectedOrder

DAYS = 7
RUNS_SHOWN = 8
MOST_ACCOUNTS = 20


@dataclass(frozen=True)
class Card:
    """A count and the list behind it. `level`: bad, warn, info, or '' where nothing is to be done."""

    count: int
    title: str
    url: str
    level: str = ""


@dataclass(frozen=True)
class Notice:
    """A sentence about an account or the machinery, with the page where it is mended, if there is one."""

    text: str
    url: str
    level: str
    link: str = ""


@dataclass(frozen=True)
class Bar:
    """One bar of the picture, in the units of its viewBox."""

    day: str
    count: int
    x: int
    y: int
    height: int
    late: bool = False
    WIDTH = 56

    @property
    def middle(self) -> int:
        return self.x + self.WIDTH // 2

    @property
    def above(self) -> int:
        return self.y - 5


@dataclass(frozen=True)
class Board:
    cards: list[Card] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    runs: list[JobRun] = field(default_factory=list)
    sees_runs: bool = False
    erasures: list[forecast.Bar] = field(default_factory=list)

    @property
    def has_bars(self) -> bool:
        return any(bar.count for bar in self.bars)


def board_for(user, *, now: datetime) -> Board:
    """The start page of one user."""
    sees_runs = user.has_perm("orderhub.view_jobrun")
    notices, cards, bars = [*_stopped(user), *_erasing(user)], [], []
    if user.has_perm("privacy.view_securityevent"):
        notices += _log_alarm(now)
    if sees_runs:
        notices += _machinery(now)
    if user.has_perm("stores.view_amazonaccount"):
        notices += _accounts(now)
    if user.has_perm("stores.change_store"):
        notices += _shops()
    if user.has_perm("orders.view_historyread"):
        notices += _gaps()
    if user.has_perm("privacy.view_accessreview"):
        notices += _access_review(now)
    if user.has_perm("privacy.view_securityevent"):
        notices += _unusual_views(now)
    if user.has_perm("stores.change_amazonaccount"):
        notices += _client_secret(now)
    if user.has_perm("webhooks.view_endpoint"):
        notices += _webhooks()
    if user.has_perm("orderhub.view_apikey"):
        notices += _keys(now)
    if user.has_perm("orders.view_order"):
        zones = deadlines.zones()
        counts = _order_counts(now, zones)
        cards += _order_cards(counts)
        cards += _alert_card(counts)
        cards += _address_card(counts) if user.has_perm("orders.change_order") else []
        bars = _bars(counts, now)
        notices += _erased_unsent(counts, now) if user.has_perm("orders.change_order") else []
    if user.has_perm("shipments.view_shipmentnotification"):
        cards += _notice_cards()
    if user.has_perm("shipments.view_manualupdate"):
        cards += _by_hand_card(now)
    if user.has_perm("orders.view_quarantinedorder"):
        title = _("Unreadable orders (quarantine)")
        cards.append(_card(QuarantinedOrder.objects.count(), title, "orders_quarantinedorder", "", "bad"))
    erased = forecast.bars(forecast.due_by_day(now=now)) if ledger.is_officer(user) else []
    return Board(cards, notices, bars, _last_runs(now) if sees_runs else [], sees_runs, erased)


def _card(count: int, title: str, model: str, query: str, level: str) -> Card:
    return Card(count, title, _list(model, query), level if count else "")


def _list(model: str, query: str = "") -> str:
    """The address of a list; the start page where this installation has none."""
    try:
        return reverse(f"admin:{model}_changelist") + query
    except NoReverseMatch:
        return reverse("admin:index")


# -- orders


def _order_counts(now: datetime, zones: list[str]) -> dict[str, int]:
    """Every count about orders in one aggregate."""
    wanted = {
        bucket: deadlines.when(bucket, now=now, zone_names=zones)
        for bucket in (deadlines.LATE, deadlines.TODAY, deadlines.NEXT)
    }
    wanted |= {
        "cancel": filters.KindFilter.conditions["cancel"],
        "hold": filters.TABS["hold"][1],
        "roman": filters.KindFilter.conditions["roman"],
        "alert": filters.KindFilter.conditions["alert"],
        "soon": radar.at_risk(now, days=radar.HORIZONS[0]),
        "overdue": filters.overdue(now),
    }
    wanted |= {f"day{offset}": deadlines.on_day(offset, now=now, zone_names=zones) for offset in range(DAYS)}
    first = Min("redaction_due_at", filter=wanted["soon"])
    counts = {name: Count("pk", filter=condition) for name, condition in wanted.items()}
    return Order.objects.aggregate(first_erased=first, **counts)


def _order_cards(counts: dict[str, int]) -> list[Card]:
    rows = (
        ("late", _("Late orders"), "?due=late", "bad"),
        ("today", _("To ship today"), "?due=today", "warn"),
        ("next", _("To ship within 7 days"), "?due=next", "info"),
        ("cancel", _("Cancellations requested"), "?kind=cancel", "bad"),
        ("hold", _("Orders on hold"), "?tab=hold", "warn"),
        ("overdue", _("Overdue erasures"), "?privacy=overdue", "bad"),
    )
    found = [_card(counts[name], title, "orders_order", query, level) for name, title, query, level in rows]
    title, url = _("Erased before shipping (3 days)"), reverse("admin:orders_radar")
    return [*found[:-1], Card(counts["soon"], title, url, "warn" if counts["soon"] else ""), found[-1]]


def _erased_unsent(counts: dict, now: datetime) -> list[Notice]:
    """From day 11 on: the address goes before anybody has sent the order."""
    if not counts["soon"]:
        return []
    left = counts["first_erased"] - now
    text = ngettext(
        "%(count)d order that nobody has sent loses its address within 3 days (%(left)s).",
        "%(count)d orders that nobody has sent lose their address within 3 days (the first: %(left)s).",
        counts["soon"],
    ) % {"count": counts["soon"], "left": deadlines.left_in_words(left)}
    return [Notice(text, reverse("admin:orders_radar"), "warn", _("See which"))]


def _alert_card(counts: dict[str, int]) -> list[Card]:
    """Made only where a rule or the import raised one that nobody has dealt with."""
    return [_card(counts["alert"], _("Alerts"), "orders_order", "?kind=alert", "bad")] if counts["alert"] else []


def _address_card(counts: dict[str, int]) -> list[Card]:
    """Made only where orders are on hold for it: most installations never have one."""
    title = _("Addresses to write in Roman characters")
    return [_card(counts["roman"], title, "orders_order", "?kind=roman", "warn")] if counts["roman"] else []


def _bars(counts: dict[str, int], now: datetime) -> list[Bar]:
    """Late orders, then the next days; heights out of 100."""
    values = [counts[deadlines.LATE], *(counts[f"day{offset}"] for offset in range(DAYS))]
    most = max(*values, 1)
    names = [_("late"), _("today")]
    names += [weekday(now + timedelta(days=offset)) for offset in range(1, DAYS)]
    found = []
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        height = max(round(value * 100 / most), 2 if value else 0)
        found.append(Bar(name, value, 12 + index * 80, 120 - height, height, late=index == 0))
    return found


# -- notices


def _notice_cards() -> list[Card]:
    State = ShipmentNotification.State
    counts = ShipmentNotification.objects.aggregate(
        stuck=Count("pk", filter=Q(state__in=State.STUCK)),
        waiting=Count("pk", filter=Q(state__in=[State.RETRY_AT, State.UNKNOWN])),
        by_hand=Count("pk", filter=Q(state=State.MANUAL, error_code=ShipmentNotification.STORE_POLICY)),
    )
    by_hand = _("Parcels to tell Amazon of by hand")
    stuck, waiting = _("Notices refused or needing attention"), _("Notices throttled or being checked")
    return [
        _card(counts["stuck"], stuck, "shipments_shipmentnotification", "?state=stuck", "bad"),
        _card(counts["waiting"], waiting, "shipments_shipmentnotification", "?state=waiting", "info"),
        *(
            [_card(counts["by_hand"], by_hand, "shipments_shipmentnotification", "?state=by_hand", "warn")]
            * bool(counts["by_hand"])
        ),
    ]


def _by_hand_card(now: datetime) -> list[Card]:
    """Made only where orders went in another's parcel; loud once one of them is late, or will be within two hours."""
    late = Count("pk", filter=Q(order__ship_by__lt=now + manual_updates.BEFORE_SHIP_BY))
    counts = ManualUpdate.objects.open().aggregate(open=Count("pk"), late=late)
    title = _("Updates by hand in Amazon")
    if counts["late"]:
        title = ngettext(
            "Updates by hand in Amazon, %(count)d late or nearly", "Updates by hand in Amazon, %(count)d late or nearly",
            counts["late"],
        ) % {"count": counts["late"]}  # fmt: skip
    level = "bad" if counts["late"] else "warn"
    card = _card(counts["open"], title, "shipments_manualupdate", "?state=open", level)
    return [card] if counts["open"] else []


# -- accounts


def banner_for(user, *, now: datetime) -> list[Notice]:
    """What every page but the start page says above all: at most a line of erasure, of accounts and of the secret."""
    if not user.has_perm("stores.change_amazonaccount"):
        return [*_stopped(user), *_erasing(user)]
    return [*_stopped(user), *_erasing(user), *_of_accounts(now)]


def _of_accounts(now: datetime) -> list[Notice]:
    attention = authorizations.needing_attention(now)
    accounts = [*attention.stopped, *attention.ending]
    if not accounts:
        return _client_secret(now)
    urgent = attention.stopped or "bad" in {words.expiry_level(account, now=now) for account in attention.ending}
    one = len(accounts) == 1
    line = Notice(
        words.attention_line(attention),
        _page(accounts[0].pk) if one else _list("stores_amazonaccount"),
        "bad" if urgent else "warn",
        _("Open the account") if one else _("Open the accounts"),
    )
    return [line, *_client_secret(now)]


def _client_secret(now: datetime) -> list[Notice]:
    age = secrets.age_days(now)
    text = secrets.words(age)
    return [Notice(text, secrets.HOW_TO, secrets.level(age), _("How to do it"))] if text else []


def _accounts(now: datetime) -> list[Notice]:
    """Accounts that stopped or will soon, and order sources that send orders nobody connected."""
    found = [_account(account, now) for account in authorizations.concerned(now)[:MOST_ACCOUNTS]]
    rows = (
        UnconnectedOrder.objects.values("account", "account__selling_partner_id", "marketplace_id")
        .annotate(count=Count("pk"))
        .order_by("account", "marketplace_id")[:MOST_ACCOUNTS]
    )
    return found + [_unconnected(row) for row in rows]


def _account(account: AmazonAccount, now: datetime) -> Notice:
    works = account.status == AmazonAccount.Status.ACTIVE
    told = words.ending(account, now=now) if works else health.words(account)
    text = _("Account %(account)s: %(words)s") % {"account": account, "words": told}
    level = words.expiry_level(account, now=now) if works else "bad"
    return Notice(text, _page(account.pk), level, _("Open the account"))


def _shops() -> list[Notice]:
    """Linked BigCommerce stores that refuse our token: their parcels wait."""
    return [
        Notice(
            _("BigCommerce store %(store)s: %(words)s")
            % {"store": shop.store, "words": linking.refusal(shop.status_reason)},
            reverse("admin:stores_store_change", args=[shop.store_id]), "bad", _("Open the store"),
        )
        for shop in linking.refused_shops()[:MOST_ACCOUNTS]
    ]  # fmt: skip


def _unconnected(row: dict) -> Notice:
    market = BY_ID.get(row["marketplace_id"])
    text = ngettext(
        "Account %(account)s: %(count)d order on %(source)s: connect this order source.",
        "Account %(account)s: %(count)d orders on %(source)s: connect this order source.",
        row["count"],
    ) % {
        "account": row["account__selling_partner_id"],
        "count": row["count"],
        "source": market.label if market else row["marketplace_id"],
    }
    return Notice(text, _page(row["account"]), "warn", _("Open the account"))


def _gaps() -> list[Notice]:
    """What the last daily check of each account found missing: it is here now, but somebody should ask why."""
    missing, accounts = history.alarm()
    if not missing:
        return []
    found = ngettext(
        "The daily check found %(count)d order that the import had missed, and took it in.",
        "The daily check found %(count)d orders that the import had missed, and took them in.",
        missing,
    ) % {"count": missing}
    if accounts > 1:
        found += " " + _("They are of %(count)d accounts.") % {"count": accounts}
    return [Notice(found, _list("orders_historyread", "?found=missing"), "warn", _("See the checks"))]


# -- people


def _access_review(now: datetime) -> list[Notice]:
    """From the 80th day on since everybody's access was last confirmed."""
    state = reviewing.state(now=now)
    if not state.is_due:
        return []
    text = _("The access review is overdue: until an administrator signs it, no role can be given to anybody.")
    if not state.is_overdue:
        left = reviewing.TERM_DAYS - state.days
        text = ngettext(
            "The access review must be signed within %(count)d day.",
            "The access review must be signed within %(count)d days.",
            left,
        ) % {"count": left}
    level = "bad" if state.is_overdue else "warn"
    return [Notice(text, _list("privacy_accessreview"), level, _("Open the access review"))]


def _unusual_views(now: datetime) -> list[Notice]:
    """Who saw more people in an hour than the setting says is usual. Nobody was stopped: somebody should ask why."""
    names = quota.exceeded_by(now=now)
    if not names:
        return []
    text = _("More than %(count)d views of personal data in an hour: %(users)s. Ask what for.")
    told = text % {"count": settings.REVEALS_PER_HOUR, "users": ", ".join(names)}
    return [Notice(told, _list("privacy_securityevent"), "warn", _("Open the security log"))]


def _webhooks() -> list[Notice]:
    """Clients that are not told any more: they will not notice by themselves."""
    link = _("Open the webhooks")
    return [Notice(text, _list("webhooks_endpoint"), level, link) for text, level in webhook_words.alarms()]


def _keys(now: datetime) -> list[Notice]:
    """Clients whose key ends soon, or is refused although they go on asking."""
    return [
        Notice(text, reverse("admin:orderhub_apikey_change", args=[pk]), level, _("Open the key"))
        for text, level, pk in keystates.alarms(now=now)
    ]


def _page(account_id: int) -> str:
    try:
        return reverse("admin:stores_amazonaccount_change", args=[account_id])
    except NoReverseMatch:
        return reverse("admin:index")


# -- security


def _stopped(user) -> list[Notice]:
    """The emergency stop, to everybody: they wonder why nothing moves."""
    if not killswitch.is_set():
        return []
    text = _("The emergency stop is on: nothing is imported or sent. Ask your privacy officer or administrator.")
    if not user.has_perm("privacy.use_killswitch"):
        return [Notice(text, reverse("admin:index"), "bad", _("Back to the start page"))]
    text = _("The emergency stop is on: nothing is imported or sent.")
    return [Notice(text, reverse("admin:privacy_killswitch"), "bad", _("Look at it"))]


def _log_alarm(now: datetime) -> list[Notice]:
    text = audit_words.alarm(now=now)
    return [Notice(text, _list("privacy_securityevent"), "bad", _("Open the security log"))] if text else []


# -- jobs


def _erasing(user) -> list[Notice]:
    """For everybody, whatever their role: erasure is late, or held."""
    standing = deadman.remembered()
    text = deadman.words(standing)
    if not text:
        return []
    if standing.late and user.has_perm("orders.view_order"):
        return [Notice(text, _list("orders_order", "?privacy=overdue"), "bad", _("See the orders"))]
    return [Notice(text, "", "bad")]


def _machinery(now: datetime) -> list[Notice]:
    if JobRun.objects.filter(job=HEARTBEAT, started_at__gt=now - LATE).exists():
        return []
    text = _("The worker is silent: nothing is imported, sent or erased. Start it, or ask your administrator.")
    return [Notice(text, _list("orderhub_jobrun"), "bad", _("Open"))]


def _last_runs(now: datetime) -> list[JobRun]:
    """The last run of each job of the last day, newest first."""
    recent = JobRun.objects.filter(started_at__gt=now - timedelta(days=1))
    latest = recent.order_by().values("job").annotate(newest=Max("pk")).values("newest")
    return list(JobRun.objects.filter(pk__in=latest).order_by("-started_at", "-pk")[:RUNS_SHOWN])
