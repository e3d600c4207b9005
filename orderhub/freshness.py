"""Whether the person at the desk proved who they are within the last ten minutes, and how they are asked again.

What reveals, exports, erases or changes rights asks for it first:

    @fresh_required                     # a view, or a method of an admin class: the request is among its arguments
    def export(self, request): ...

    if not is_fresh(request):           # where the answer decides inside
        return ask_again(request)

The proof is a code of the second factor, or the password of somebody who has none. It is kept in the session, as the
instant it was given. Nothing is done in between: after the proof the person is back on the page they came from.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from orderhub import clock

FRESH_FOR = timedelta(minutes=10)
KEY = "proved_at"  # in the session: seconds since 1970


def is_fresh(request: HttpRequest) -> bool:
    """Whether the proof is younger than ten minutes. One from the future, after a clock that went back, is none."""
    told = request.session.get(KEY)
    if not isinstance(told, int | float) or not request.user.is_authenticated:
        return False
    return timedelta(0) <= clock.now() - datetime.fromtimestamp(told, tz=clock.now().tzinfo) < FRESH_FOR


def prove(request: HttpRequest) -> None:
    """Keep that a proof was given just now. Called by what checks a code or a password, and by nothing else."""
    request.session[KEY] = clock.now().timestamp()


def ask_again(request: HttpRequest, *, back: str = "") -> HttpResponseRedirect:
    """Lead to the page that asks for the proof, and from there to `back`.

    By default back to this very address; after a form was sent, to the page it was on, where it must be sent again.
    """
    if request.method not in {"GET", "HEAD"}:
        messages.warning(request, _("Nothing was done yet: confirm that it is you, then do it again."))
    target = back or (request.get_full_path() if request.method in {"GET", "HEAD"} else _page_before(request))
    return HttpResponseRedirect(f"{reverse('confirm_identity')}?{urlencode({'next': target})}")


def fresh_required(view: Callable) -> Callable:
    """Decorator: asks for the proof first where it is older than ten minutes."""

    @wraps(view)
    def guarded(*args, **kwargs):
        request = next(given for given in args if isinstance(given, HttpRequest))
        return view(*args, **kwargs) if is_fresh(request) else ask_again(request)

    return guarded


def _page_before(request: HttpRequest) -> str:
    """The page of ours that the form was on. Its query string may hold what was searched for: it is left out."""
    before = urlsplit(request.headers.get("Referer", ""))
    return before.path if before.netloc == request.get_host() and before.path else reverse("admin:index")
