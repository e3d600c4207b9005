"""“Where is order X?”: what OrderHub knows of an order number, step by step. What to do about it: orders/verdicts.py.

Reads only, in a constant number of queries, and nothing personal: numbers, states and dates.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub.wording import utc
from orders import erasurewords, verdicts
from orders.models import Order, QuarantinedOrder, SkippedOrder
from orders.verdicts import Facts, Verdict
from stores import health
from stores.models import AmazonAccount, Store, UnconnectedOrder

AMAZON_NUMBER = re.compile(r"\d{3}-\d{7}-\d{7}")
DIGITS = re.compile(r"\d{17}")
DASHES = re.compile("[\u2010-\u2015\u2212]")
LONGEST = 60
MOST_SHOWN = 5
ACCOUNTS, ACCOUNT_LIST = "stores.view_amazonaccount", "admin:stores_amazonaccount_changelist"


@dataclass(frozen=True)
class Step:
    """One thing that was looked at, and what was found. `level`: ok, warn, bad, or '' where it says nothing."""

    asked: str
    found: str
    level: str = ""
    url: str = ""


@dataclass(frozen=True)
class Trace:
    """The answer and how it was found. `can_be_asked`: nobody here knows it, and this user may ask Amazon."""

    number: str
    verdict: Verdict
    steps: list[Step] = field(default_factory=list)
    can_be_asked: bool = False


def tidy(text: str) -> str:
    """An order number as people paste it: spaces, unseen signs and dashes of other kinds go, Amazon's 17 digits get their dashes."""
    number = DASHES.sub("-", "".join(filter(str.isprintable, "".join(text.split()))))[:LONGEST]
    return f"{number[:3]}-{number[3:10]}-{number[10:]}" if DIGITS.fullmatch(number) else number


def is_amazons(number: str) -> bool:
    return number.isascii() and bool(AMAZON_NUMBER.fullmatch(number))


def trace(text: str, user, *, now: datetime) -> Trace:
    """Where the order of this number is, for this user."""
    number = tidy(text)
    if not user.has_perm("orders.view_order"):
        return Trace(number, Verdict(_("Your role does not include orders. Ask your administrator."), "warn"))
    facts = _facts(number, may_fetch=user.has_perm("orders.fetch_order"))
    steps = [_form(facts), *_here(facts, now=now), *_left_out(facts), *_accounts(facts, now=now)]
    unknown = facts.is_amazons and not facts.orders and not facts.concerned
    ask = unknown and facts.may_fetch and bool(facts.accounts)
    if not user.has_perm(ACCOUNTS):
        steps = [replace(step, url="") if step.url.startswith(reverse(ACCOUNT_LIST)) else step for step in steps]
    return Trace(number, _for(user, verdicts.of(facts, now=now)), steps, can_be_asked=ask)


def _for(user, verdict: Verdict) -> Verdict:
    """No way to a page that this user may not open: somebody else has to go there."""
    if verdict.action is None or not verdict.action.right or user.has_perm(verdict.action.right):
        return verdict
    told = verdict.text + " " + _("Your role may not do this: ask support.")
    return replace(verdict, text=told, action=None)


# -- what there is


def _facts(number: str, *, may_fetch: bool) -> Facts:
    accounts = list(AmazonAccount.objects.defer("refresh_token", "participations").order_by("pk"))
    stores = list(Store.objects.values_list("pk", flat=True))  # so that the indexes, which begin with these, serve
    ids = [account.pk for account in accounts]
    orders = Order.objects.filter(order_number=number).select_related("store__account", "store__merchant", "firing")
    unconnected = UnconnectedOrder.objects.filter(account__in=ids, order_number=number).select_related("account")
    connected = Store.objects.filter(account__in=[row.account_id for row in unconnected])
    return Facts(
        number=number,
        is_amazons=is_amazons(number),
        may_fetch=may_fetch,
        orders=list(orders.prefetch_related("notifications").order_by("-ordered_at")[:MOST_SHOWN]),
        skipped=list(
            SkippedOrder.objects.filter(store__in=stores, order_number=number).select_related("store__account")
        ),
        unconnected=list(unconnected),
        unreadable=list(
            QuarantinedOrder.objects.filter(account__in=ids, order_number=number).select_related("account")
        ),
        connected=set(connected.values_list("account", "marketplace")),
        accounts=accounts,
    )


# -- the steps in words


def _form(facts: Facts) -> Step:
    if facts.is_amazons:
        return Step(_("Form of the number"), _("Amazon's: 3, 7 and 7 digits."), "ok")
    return Step(_("Form of the number"), _("Not Amazon's, which have 3, 7 and 7 digits."), "warn")


def _here(facts: Facts, *, now: datetime) -> list[Step]:
    asked = _("Orders in OrderHub")
    steps = [] if facts.orders else [Step(asked, _("No order has this number."))]
    for order in facts.orders:
        told = _("In store “%(store)s” since %(at)s, status: %(status)s.") % {
            "store": order.store, "at": utc(order.first_imported_at), "status": order.get_status_display(),
        }  # fmt: skip
        page = reverse("admin:orders_order_change", args=[order.pk])
        steps += [Step(asked, told, "ok", page), *_about(order, page, now=now)]
    return steps


def _about(order: Order, page: str, *, now: datetime) -> list[Step]:
    """Amazon's newest word, the rules, what Amazon was told, and until when personal data is kept."""
    steps = []
    if order.amazon_updated_at:
        steps.append(Step(_("Last changed at Amazon"), utc(order.amazon_updated_at)))
    firing = getattr(order, "firing", None)
    if firing:
        names = [str(entry.get("name", "?")) for entry in firing.trace if entry.get("fired")]
        applied = ngettext("%(count)d rule applied", "%(count)d rules applied", len(names)) % {"count": len(names)}
        told = f"{applied} ({', '.join(names)})" if names else _("No rule applied")
        steps.append(Step(_("Automation rules"), f"{told} · {utc(firing.at)}", "", f"{page}#rules-title"))
    for notice in order.notifications.all():
        told = f"{notice.get_channel_display()} · {notice.state_word}"
        steps.append(Step(_("Notice of the shipment"), told, notice.level))
    kept = erasurewords.of(order, now=now)
    return [*steps, Step(_("Personal data"), " ".join(filter(None, kept.sentences)), kept.level)]


def _left_out(facts: Facts) -> list[Step]:
    steps = []
    for row in facts.skipped:
        told = _("Left out of store “%(store)s” on %(at)s: %(reason)s.") % {
            "store": row.store, "at": utc(row.seen_at), "reason": row.get_reason_display(),
        }  # fmt: skip
        steps.append(Step(_("Orders left out"), told, "warn"))
    for row in facts.unconnected:
        told = _("Seen on %(source)s on %(at)s by account %(account)s, without a store for it.") % {
            "source": verdicts.source(row.marketplace_id), "at": utc(row.seen_at), "account": row.account,
        }  # fmt: skip
        steps.append(Step(_("Order sources without a store"), told, "warn"))
    for row in facts.unreadable:
        told = _("Account %(account)s could not read it on %(at)s: %(code)s.") % {
            "account": row.account, "at": utc(row.seen_at), "code": row.code,
        }  # fmt: skip
        steps.append(Step(_("Unreadable orders"), told, "bad"))
    if steps or facts.orders:
        return steps
    return [Step(_("Orders left out"), _("Neither left out, nor of an unconnected source, nor unreadable."))]


def _accounts(facts: Facts, *, now: datetime) -> list[Step]:
    """How far the accounts concerned have been read; of all of them, where none is, those that lag most."""
    if not facts.is_amazons and not facts.orders:
        return []
    concerned = facts.concerned or sorted(facts.accounts, key=lambda account: verdicts.lag_rank(account, now=now))
    steps = [_account(account, now=now) for account in concerned[:MOST_SHOWN]]
    left = len(concerned) - MOST_SHOWN
    if left > 0:
        told = ngettext("%(count)d more, read further.", "%(count)d more, read further.", left) % {"count": left}
        steps.append(Step(_("Other accounts"), told))
    return steps


def _account(account: AmazonAccount, *, now: datetime) -> Step:
    page = reverse("admin:stores_amazonaccount_change", args=[account.pk])
    asked = _("Account %(account)s") % {"account": account}
    if account.status != AmazonAccount.Status.ACTIVE:
        return Step(asked, health.words(account), "bad", page)
    words = {"until": utc(account.imported_until), "next": utc(max(now, account.next_poll_at or now))}
    if account.page_token:
        told = _("Being read: complete until %(until)s; Amazon allows the next page at %(next)s.") % words
        return Step(asked, told, "warn", page)
    behind = verdicts.is_behind(account, now=now)
    told = _("Read until %(until)s; the next look is due at %(next)s.") % words
    return Step(asked, told, "warn" if behind else "ok", page)
