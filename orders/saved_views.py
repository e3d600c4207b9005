"""Saved views: the filters and order of the list under a name, one's own or everybody's. Never a search text."""

import re
from collections.abc import Collection, Mapping
from urllib.parse import urlencode

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from orderhub.errors import RuleViolation
from orders.models import SavedView

MOST = 30  # views of one person
MOST_QUERY = SavedView._meta.get_field("query").max_length
MOST_NAME = SavedView._meta.get_field("name").max_length
ORDERING = "o"
_ORDERING = re.compile(r"-?\d{1,2}(\.-?\d{1,2}){0,9}")


def clean(parameters: Mapping[str, str] | str, known: Collection[str]) -> str:
    """What of a list's parameters a view keeps: filters of this list that are set, and the order of its rows.

    Whatever else stands in the address, a search text above all, is left out. RuleViolation beyond 500 characters.
    """
    given = QueryDict(parameters) if isinstance(parameters, str) else parameters
    kept = {name: given[name] for name in sorted(known) if given.get(name)}
    if _ORDERING.fullmatch(given.get(ORDERING, "")):
        kept[ORDERING] = given[ORDERING]
    query = urlencode(kept)
    if len(query) > MOST_QUERY:
        raise RuleViolation(_("These filters are too long to be saved: use fewer of them."))
    return query


def visible_to(user):
    """One's own views and those that colleagues share, by name."""
    return (
        SavedView.objects.filter(Q(owner=user) | Q(shared=True, owner__is_active=True))
        .select_related("owner")
        .order_by("name", "pk")
    )


def save(user, name: str, parameters: Mapping[str, str] | str, *, known: Collection[str], shared: bool) -> SavedView:
    """Keep these filters under a name; an own view of this name is replaced.

    RuleViolation without a name, without a filter, and for one view too many.
    """
    name, query = " ".join(name.split()), clean(parameters, known)
    if not name or len(name) > MOST_NAME or not name.isprintable():
        raise RuleViolation(_("Give the view a name of at most %(most)d characters.") % {"most": MOST_NAME})
    if not query:
        raise RuleViolation(_("Choose a filter or an order of the rows first: there is nothing to save yet."))
    own = SavedView.objects.filter(owner=user)
    try:
        with transaction.atomic():
            if own.filter(name__iexact=name).update(name=name, query=query, shared=shared):
                return own.get(name=name)
            if own.count() >= MOST:
                raise RuleViolation(_("You have %(most)d views already: delete one first.") % {"most": MOST})
            return SavedView.objects.create(owner=user, name=name, query=query, shared=shared)
    except IntegrityError as error:
        raise RuleViolation(_("A view of this name was saved a moment ago: look at it again.")) from error


def delete(user, pk: int) -> str:
    """Delete an own view, return its name. RuleViolation for anybody else's."""
    view = SavedView.objects.filter(owner=user, pk=pk).first()
    if view is None:
        raise RuleViolation(_("Only your own views can be deleted; this one is gone, or somebody else's."))
    view.delete()
    return view.name
