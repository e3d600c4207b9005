"""The access review: everybody's access on one page, and a signature under it."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _now

from orderhub import clock
from orderhub.doors import post_only
from orderhub.errors import RuleViolation
from orderhub.lists import ReadOnlyAdmin
from privacy import reviewing
from privacy.models import AccessReview

PAGE = "admin:privacy_accessreview_changelist"
PAST_SHOWN = 12


@admin.register(AccessReview)
class AccessReviewAdmin(ReadOnlyAdmin):
    """Administrators sign, the privacy officer reads. A signature is never changed."""

    fields = ["signed_by", "signed_at", "accounts", "digest"]

    def get_urls(self):
        view = self.admin_site.admin_view(self.sign_view)
        return [path("sign/", view, name="privacy_accessreview_sign"), *super().get_urls()]

    def has_sign_permission(self, request) -> bool:
        return request.user.has_perm("privacy.add_accessreview")

    def changelist_view(self, request, extra_context=None):
        """The list of today, whatever the address asks for: it is not searched or filtered."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        now = clock.now()
        shown, keys, state = reviewing.lines(now=now), reviewing.key_lines(now=now), reviewing.state(now=now)
        context = self.admin_site.each_context(request) | {
            "title": _now("Access review"), "opts": self.opts, "lines": shown, "state": state,
            "keys": keys, "sees_keys": request.user.has_perm("orderhub.view_apikey"),
            "digest": reviewing.digest(shown, keys), "term": reviewing.TERM_DAYS, "left": reviewing.TERM_DAYS - state.days,
            "may_sign": self.has_sign_permission(request), "may_change": request.user.has_perm("orderhub.change_user"),
            "past": AccessReview.objects.select_related("signed_by")[:PAST_SHOWN],
        }  # fmt: skip
        return TemplateResponse(request, "privacy/access_review.html", context)

    @post_only(PAGE)
    def sign_view(self, request):
        if not self.has_sign_permission(request):
            raise PermissionDenied
        try:
            review = reviewing.sign(seen=request.POST.get("digest", ""), request=request, now=clock.now())
        except RuleViolation as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            text = _now("The access review is signed: %(count)d accounts.") % {"count": review.accounts}
            self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse(PAGE))
