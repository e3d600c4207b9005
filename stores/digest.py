"""The mail to staff: accounts that stopped or are about to, and the age of the client secret."""

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime

from django.core.mail import EmailMessage
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from orderhub.jobs import CALLS_S
from orderhub.models import User
from privacy import access
from stores import authorizations, health, secrets, words
from stores.models import AmazonAccount

log = logging.getLogger("orderhub.mail")

ROLES = (access.SUCCESS, access.ADMINISTRATOR, access.SUPPORT)
NEVER = 500  # the first reply code of a mail server that means: do not try this address again


@dataclass
class Delivery:
    """What became of the mails. `trouble`: the name of what stopped them, '' if all were handed over or refused."""

    sent: int = 0
    refused: list[int] = field(default_factory=list)  # users whose address the mail server does not take
    trouble: str = ""

    @property
    def done(self) -> bool:
        return self.sent > 0 and not self.trouble

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
    delivery = _deliver(accounts, age=age, now=now)
    if delivery.done:
        authorizations.record_told(new, now)
        if passed is not None:
            secrets.record_told(passed, now)
    return f"{len(new)} accounts to tell of: {delivery.sentence()}"


def recipients() -> list[User]:
    """Active staff with an address who can do something about it; each address once."""
    users = User.objects.filter(is_active=True, is_staff=True, groups__name__in=ROLES).exclude(email="")
    return list({user.email.casefold(): user for user in users.distinct().order_by("-pk")}.values())


def _deliver(accounts: list[AmazonAccount], *, age: int | None, now: datetime) -> Delivery:
    """One mail a person. A refused address costs the others nothing; a mail server that fails ends the round."""
    prefetch_related_objects(accounts, "stores")
    delivery, started = Delivery(), time.monotonic()
    people = recipients()
    for user in people:
        if time.monotonic() - started > CALLS_S:
            delivery.trouble = "out of time"
            break
        try:
            _mail_to(user, accounts, age=age, now=now).send()
            delivery.sent += 1
        except (OSError, ValueError) as error:
            if _is_final(error):
                delivery.refused.append(user.pk)
                continue
            delivery.trouble = type(error).__name__
            log.error("mail_failed", extra={"error": type(error).__name__})
            break
    if not people:
        delivery.trouble = "no active staff with an e-mail address"
    return delivery


def _is_final(error: Exception) -> bool:
    """Whether it is the address that is wrong: none at all, or refused for good by the server."""
    replies = getattr(error, "recipients", None)
    if isinstance(replies, dict):
        return all(code >= NEVER for code, _text in replies.values())
    return isinstance(error, ValueError)


def _mail_to(user: User, accounts: list[AmazonAccount], *, age: int | None, now: datetime) -> EmailMessage:
    with override(user.language):
        body = "\n\n".join([_opening(accounts), *(_entry(account, now) for account in accounts), *_secret(age)])
        return EmailMessage(
            _subject(accounts), f"{body}\n", to=[user.email], headers={"Auto-Submitted": "auto-generated"}
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
