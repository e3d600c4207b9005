"""Small pages of the wiring: health for machines, the choice of language, and what is said instead of a page."""

from datetime import timedelta

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from orderhub import clock
from orderhub.models import JobRun, User
from privacy import audit, deadman
from privacy.models.event import EventCode, Outcome

HEARTBEAT = "orderhub.housekeeping.heartbeat"
LATE = timedelta(minutes=3)


@require_GET
def healthz(request):
    """200 while workers beat and erasure goes through, else 503; says which, and nothing more."""
    now = clock.now()
    beats = JobRun.objects.filter(job=HEARTBEAT, started_at__gt=now - LATE).exists()
    erasing = deadman.standing(now)
    healthy = beats and erasing.well
    body = {"workers": "ok" if beats else "late", "erasure": erasing.word}
    return JsonResponse(body, status=200 if healthy else 503, headers={"Cache-Control": "no-store"})


@login_required
def set_language(request):
    """Keep the language a member of staff chose, and go back to the page they came from. GET, as after signing in
    again, changes nothing."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("admin:index"))
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=language)
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = reverse("admin:index")
    return HttpResponseRedirect(target)


def forbidden(request, exception=None):
    """403 in words: the role does not include it. Recorded with the name of the route, and nothing of what was asked."""
    _tell_refused(request)
    text = _("Your role does not include this page or action. If you need it for your work, ask your administrator.")
    return _instead(request, 403, _("Not allowed"), text)


def csrf_failure(request, reason=""):
    """403 in words: the form came without this session's own token, or from another site."""
    _tell_refused(request, "csrf ")
    text = _(
        "This form is too old, or you signed in again meanwhile. Nothing was changed: open the page anew and retry."
    )
    return _instead(request, 403, _("Not accepted"), text)


def not_found(request, exception=None):
    """404 in words. Says nothing of what was asked for."""
    return _instead(request, 404, _("Page not found"), _("There is nothing at this address. It may have been moved."))


def _tell_refused(request, why: str = "") -> None:
    """One event for an answer; of nobody signed in none, or anybody could fill the log."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or getattr(request, "refusal_told", False):
        return
    request.refusal_told = True
    route = getattr(request.resolver_match, "view_name", None) or "unknown"
    audit.record(EventCode.REFUSED, request=request, outcome=Outcome.REFUSED, reason=f"{why}{route}")


def _instead(request, status: int, title: str, text: str):
    context = admin.site.each_context(request) | {"title": title, "text": text}
    return render(request, "message.html", context, status=status)
