"""The state of the security log in words: on its own page, and on the start page where something is wrong."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub.wording import utc
from privacy.models import SecurityChain

OVERDUE = timedelta(hours=49)  # two nights missed


class State(NamedTuple):
    """A sentence, and what to do: `level` as on all our notes."""

    text: str
    level: str


def state(*, now: datetime) -> State:
    """What is known of the log. One query."""
    chain = SecurityChain.objects.filter(pk=SecurityChain.ONLY).first() or SecurityChain()
    if chain.broken_at is not None:
        return State(_broken(chain), "bad")
    if chain.verified_at is None:
        return State(_("The log has not been verified yet: that happens every night."), "info")
    if now - chain.verified_at > OVERDUE:
        text = _("The log was last verified on %(when)s. It should be every night: look at the job runs.")
        return State(text % {"when": utc(chain.verified_at)}, "bad")
    count = chain.position - chain.pruned_to
    text = ngettext(
        "Verified on %(when)s: %(count)s event, unaltered and complete.",
        "Verified on %(when)s: %(count)s events, none altered, none missing.",
        count,
    )
    shown = number_format(count, force_grouping=True)
    return State(text % {"when": utc(chain.verified_at), "count": shown}, "ok")


def alarm(*, now: datetime) -> str:
    """The sentence where something is wrong, else ''. One query."""
    found = state(now=now)
    return found.text if found.level == "bad" else ""


def _broken(chain: SecurityChain) -> str:
    text = _(
        "The security log was altered: event number %(place)s of the chain is not as it was written, or is missing. "
        "Somebody had access to the database. Keep a copy of the database as it is and report an incident."
    )
    return text % {"place": number_format(chain.broken_at, force_grouping=True)}
