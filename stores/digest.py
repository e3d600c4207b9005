"""The mail to staff: accounts that stopped or are about to, and the age of the client secret."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime

from django.core.mail import EmailMessage, get_connection
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from orderhub.jobs import CALLS_S
from orderhub.models import User
from privacy import access
from stores import authorizations, health, secrets, words
from stores.models import AmazonAccount, DigestReceipt

log = logging.getLogger("orderhub.mail")

ROLES = (access.SUCCESS, access.ADMINISTRATOR, access.SUPPORT)
DAILY = "daily:"  # begins the keys of what is told once a day: whoever tells it forgets the receipts in time
NEVER = 500  # the first reply code of a mail server that means: do not try this address again


@dataclass
class Delivery:
    """What became of the mails. `trouble`: the name of what stopped them, '' if all were handed over or refused.

    `earlier`: people who got this digest in a round that broke off.
    """

    sent: int = 0
    earlier: int = 0
    refused: list[int] = field(default_factory=list)  # users whose address the mail server does not take
    trouble: str = ""

    @property
    def done(self) -> bool:
        return self.sent + self.earlier > 0 and not self.trouble

    def sentence(self) -> str:
        told = f"{self.sent} mails"
        if self.refused:
            told += f", address refused of users {', '.join(map(str, self.refused))}"
        if self.trouble:
            told += f"; mail failed: {self.trouble}"
        return told if self.done else f"{told}; tried again at the next run"


def tell(now: datetime) -> str:
    """Mail what nobody was told of yet, to everybody concerned; a sentence for the job runs.

    What was told is written down after the mails left: a run killed on the way tells again, it forgets nothing.
    """
    attention, age = authorizations.needing_attention(now), secrets.age_days(now)
    new = authorizations.untold([*attention.stopped, *attention.ending], now)
    passed = secrets.untold(age)
    if not new and passed is None:
        return "nothing to tell"
    accounts = [*attention.stopped, *(account for account in attention.ending if account in new)]
    key = _key(new, passed, now)
    delivery = _deliver(accounts, key=key, age=age, now=now)
    if delivery.done:
        authorizations.record_told(new, now)
        told = DigestReceipt.objects.exclude(digest__startswith=DAILY)
        told.delete()  # what was told is on the accounts now
        if passed is not None:
            secrets.record_told(passed, now)
    return f"{len(new)} accounts to tell of: {delivery.sentence()}"


def _key(new: list[AmazonAccount], passed: int | None, now: datetime) -> str:
    """Tells one digest from another: which account passed which threshold, in which authorisation."""
    told = [(account.pk, account.epoch, authorizations.mark(account, now)) for account in new]
    return hashlib.sha256(repr([told, passed]).encode()).hexdigest()


def recipients(roles: Iterable[str] = ROLES) -> list[User]:
    """Active staff of these roles with an address; each address once."""
    users = User.objects.filter(is_active=True, is_staff=True, groups__name__in=roles).exclude(email="")
    return list({user.email.casefold(): user for user in users.distinct().order_by("-pk")}.values())


def _deliver(accounts: list[AmazonAccount], *, key: str, age: int | None, now: datetime) -> Delivery:
    prefetch_related_objects(accounts, "stores")

    def compose(user: User, connection) -> EmailMessage:
        return _mail_to(user, accounts, connection, age=age, now=now)

    return deliver(recipients(), compose, key=key, now=now)


def forget_receipts(key: str, *, before: datetime) -> None:
    """Who was mailed this before that instant may be mailed it again."""
    DigestReceipt.objects.filter(digest=key, sent_at__lt=before).delete()


def deliver(
    people: list[User], compose: Callable[[User, object], EmailMessage], *, key: str, now: datetime
) -> Delivery:
    """One mail a person, over one connection. A refused address costs the others nothing; a mail server that fails ends
    the round, and the next one begins with who was left out.

    `compose`: the mail to a user over a connection. `key`: what is told; nobody gets it twice while the receipt stands.
    """
    had = set(DigestReceipt.objects.filter(digest=key).values_list("user", flat=True))
    delivery, started = Delivery(earlier=len(had)), time.monotonic()
    with _connection() as connection:
        for user in (user for user in people if user.pk not in had):
            if time.monotonic() - started > CALLS_S:
                delivery.trouble = "out of time"
                break
            try:
                compose(user, connection).send()
                delivery.sent += 1
            except (OSError, ValueError) as error:
                if not _is_final(error):
                    delivery.trouble = type(error).__name__
                    log.error("mail_failed", extra={"error": type(error).__name__})
                    break
                delivery.refused.append(user.pk)
                continue
            DigestReceipt.objects.get_or_create(user=user, digest=key, defaults={"sent_at": now})
    if not people:
        delivery.trouble = "no active staff with an e-mail address"
    return delivery


@contextmanager
def _connection() -> Iterator:
    """The mail server's connection. Each mail opens it if need be, so that a server that is away is met there."""
    connection = get_connection()
    try:
        yield connection
    finally:
        with suppress(OSError):
            connection.close()


def _is_final(error: Exception) -> bool:
    """Whether it is the address that is wrong: none at all, or refused for good by the server."""
    replies = getattr(error, "recipients", None)
    if isinstance(replies, dict):
        return all(code >= NEVER for code, _text in replies.values())
    return isinstance(error, ValueError)


def _mail_to(user: User, accounts: list[AmazonAccount], connection, *, age: int | None, now: datetime) -> EmailMessage:
    with override(user.language):
        body = "\n\n".join([_opening(accounts), *(_entry(account, now) for account in accounts), *_secret(age)])
        return EmailMessage(
            _subject(accounts),
            f"{body}\n",
            to=[user.email],
            headers={"Auto-Submitted": "auto-generated"},
            connection=connection,
        )


def _subject(accounts: list[AmazonAccount]) -> str:
    if not accounts:
        return _("OrderHub: the application's client secret grows old")
    count = len(accounts)
    text = ngettext(
        "OrderHub: %(count)d Amazon account needs you", "OrderHub: %(count)d Amazon accounts need you", count
    )
    return text % {"count": count}


def _opening(accounts: list[AmazonAccount]) -> str:
    if not accounts:
        return _("OrderHub signs in to Amazon with a client secret that must be replaced from time to time.")
    return _(
        "These Amazon accounts have stopped or will stop soon. Orders, notices and settings are kept: once an account is authorised again, everything goes on where it stopped."
    )


def _entry(account: AmazonAccount, now: datetime) -> str:
    """An account in a few lines: whose it is, its stores, and what to do."""
    stores = ", ".join(sorted(store.name for store in account.stores.all())) or "–"
    lines = [
        f"{account.merchant} · {account.selling_partner_id} · {words.REGION_WORDS[account.region]}",
        _("Stores: %(stores)s") % {"stores": stores},
        health.words(account) or words.ending(account, now=now),
    ]
    return "\n".join(lines)


def _secret(age: int | None) -> list[str]:
    if age is None:
        return []
    plain = ngettext(
        "The application's client secret is %(age)d day old; Amazon stops it at 180 days.",
        "The application's client secret is %(age)d days old; Amazon stops it at 180 days.",
        age,
    )
    return [secrets.words(age) or plain % {"age": age}]
