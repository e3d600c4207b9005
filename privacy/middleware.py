"""The web process's part in erasing on time: it sweeps where the queue is silent, and serves nothing from an old backup."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

from orderhub import clock, jobs
from privacy import deadman, restored, sweeping
from privacy.jobs import redact_due

log = logging.getLogger("orderhub.privacy")
WEB_BUDGET_S = 10


class ClosedAfterRestore:
    """503 and a sentence for everything but health, until a restored backup is erased up to now."""

    OPEN = ("/healthz",)

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path in self.OPEN or not restored.closed():
            return self.get_response(request)
        with translation.override(settings.LANGUAGE_CODE):  # nobody is signed in yet
            page = render_to_string("closed.html")
        return HttpResponse(page, status=503, headers={"Retry-After": "60", "Cache-Control": "no-store"})


class EraseWhereNobodyElseDoes:
    """After the first page for staff in two hours without a sweep, erase for ten seconds. The page is sent before."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.user.is_authenticated and request.user.is_staff and deadman.remembered().idle:
            _afterwards(response, erase)
        return response


def erase() -> None:
    """One bounded sweep under the job's lease, so that of several processes one does it. Never fails.

    The queue's schedule is put right on the way: whoever was late may have been so for lack of it.
    """
    try:
        jobs.sync_schedules()
        jobs.under_lease(redact_due.job_name, lambda: sweeping.sweep(budget_s=WEB_BUDGET_S).sentence())
    except jobs.Busy:
        pass
    except Exception as error:  # the page is out; whatever is wrong here is wrong with the sweep, not with it
        log.error("web_sweep_failed", extra={"error": type(error).__name__})
    finally:
        deadman.remember(deadman.standing(clock.now()))


def _afterwards(response, work: Callable[[], None]) -> None:
    """Do it when the server has sent the response and closes it, while the database connection is still ours."""
    close = response.close

    def closing() -> None:
        try:
            work()
        finally:
            close()

    response.close = closing
