"""Filters for the pages of erasure."""

import re
from datetime import timedelta

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from orderhub.models import JobRun
from orders.deadlines import span_in_words
from privacy.rulewords import since

SWEPT = re.compile(r"(?P<orders>\d+) redacted, (?P<documents>\d+) documents, (?P<failed>\d+) failed")

register = template.Library()
register.filter("since", since)


@register.filter
def span(length: timedelta | None) -> str:
    """`3 h`, `2 days`; a dash where there is none."""
    return "–" if length is None else span_in_words(abs(length))


@register.filter
def seconds(run: JobRun) -> str:
    """How long a run took."""
    if run.finished_at is None:
        return "–"
    return f"{number_format((run.finished_at - run.started_at).total_seconds(), 1)} s"


@register.filter
def swept(outcome: str) -> str:
    """The sentence that a sweep left in the records, in the reader's language; any other as it is."""
    found = SWEPT.fullmatch(outcome)
    told = _("%(orders)s redacted, %(documents)s documents, %(failed)s failed")
    return told % found.groupdict() if found else outcome
