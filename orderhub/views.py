"""Two small pages of the wiring: health for machines, and the choice of language."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from orderhub import clock
from orderhub.models import JobRun, User
from privacy import erasure

HEARTBEAT = "orderhub.housekeeping.heartbeat"
LATE = timedelta(minutes=3)


@require_GET
def healthz(request):
    """200 while workers beat and no erasure is overdue, else 503; says which, and nothing more."""
    now = clock.now()
    beats = JobRun.objects.filter(job=HEARTBEAT, started_at__gt=now - LATE).exists()
    overdue = erasure.overdue(now=now)
    healthy = beats and not overdue
    body = {"workers": "ok" if beats else "late", "erasure": "ok" if not overdue else "late"}
    return JsonResponse(body, status=200 if healthy else 503, headers={"Cache-Control": "no-store"})


@login_required
@require_POST
def set_language(request):
    """Keep the language a member of staff chose, and go back to the page they came from."""
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=language)
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = reverse("admin:index")
    return HttpResponseRedirect(target)
