"""Filters for the pages of erasure."""

from datetime import timedelta

from django import template

from orderhub.models import JobRun
from orders.deadlines import span_in_words
from privacy.rulewords import since

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
    return f"{(run.finished_at - run.started_at).total_seconds():.1f} s"
