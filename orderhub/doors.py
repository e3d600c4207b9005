"""What doors of the admin share."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse


def post_only(page: str) -> Callable:
    """A method that is an address of its own and does something to one object: only POST does it.

    GET leads to the object's page without any effect: the language switch and a reload come back to this address
    after a form with errors. `page`: the URL name of that page, which takes the object's id and asks for the rights.
    """

    def decorate(view):
        @wraps(view)
        def guarded(self, request, *args, **kwargs):
            if request.method == "POST":
                return view(self, request, *args, **kwargs)
            if request.method in {"GET", "HEAD"}:
                return HttpResponseRedirect(reverse(page, args=[*args, *kwargs.values()]))
            return HttpResponseNotAllowed(["POST"])

        return guarded

    return decorate


def allowed_methods(*methods: str) -> Callable:
    """A method of an admin class that answers these only, others with 405."""

    def decorate(view):
        @wraps(view)
        def guarded(self, request, *args, **kwargs):
            if request.method in methods:
                return view(self, request, *args, **kwargs)
            return HttpResponseNotAllowed(methods)

        return guarded

    return decorate
