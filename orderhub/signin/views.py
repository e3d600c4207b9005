"""The pages of signing in. Each parses, calls one thing, and leads on."""

from io import BytesIO

import segno
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import logout
from django.contrib.auth import views as django_views
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from orderhub import clock, freshness
from orderhub.signin import lockout, passwords, secondfactor, sessions
from orderhub.signin.forms import CodeForm, OwnPasswordForm, PasswordAgainForm
from privacy import audit
from privacy.models.event import EventCode, Outcome

FEW_CODES = 3


class SignIn(django_views.LoginView):
    """User name and password. Who has a second factor, or must have one, goes on to it."""

    authentication_form = AdminAuthenticationForm

    def form_valid(self, form):
        user, attempt = form.get_user(), self.request.sign_in_try
        whole = sessions.begin(self.request, user)
        lockout.passed(attempt, user.username, self.request, whole=whole)
        if whole:
            return HttpResponseRedirect(self.get_success_url())
        return HttpResponseRedirect(f"{reverse('second_factor')}?{urlencode({'next': self.get_success_url()})}")


class PasswordChange(django_views.PasswordChangeView):
    """A new password for oneself. Ends one's other sessions."""

    form_class = OwnPasswordForm
    template_name = "signin/password.html"

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"request": self.request}

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"must": passwords.must_change(self.request.user)}

    def form_valid(self, form):
        answer = super().form_valid(form)
        sessions.end_all(self.request.user, sessions.Reason.PASSWORD, request=self.request)
        audit.record(EventCode.PASSWORD_CHANGED, request=self.request, kind="user", ids=[self.request.user.pk])
        messages.success(self.request, _("Your password was changed, and your other sessions were ended."))
        return answer

    def get_success_url(self):
        return _target(self.request)


@require_POST
@never_cache
def sign_out(request):
    """Log out, and have the browser forget what it kept of our pages.

    Not its cookies: the header would take those of other sites on the same domain along; Django deletes our own.
    """
    own, user = sessions.current(request), request.user
    if user.is_authenticated:
        audit.record(EventCode.SIGNED_OUT, request=request, kind="session", ids=[own.pk] if own else [])
        sessions.leave(request, sessions.Reason.SIGNED_OUT)
    answer = admin.site.logout(request)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def locked(request, response=None, credentials=None):
    """What is answered instead of any page to a try that was one too many, or came while the name was locked."""
    text = _(
        "Too many wrong passwords or codes: signing in with this user name is locked. Wait 15 minutes and try again. "
        "If it is still locked then, ask an administrator to unlock it."
    )
    context = admin.site.each_context(request) | {"title": _("Locked"), "text": text, "has_permission": False}
    answer = render(request, "signin/locked.html", context, status=429)
    answer.headers["Retry-After"] = "900"
    return answer


@never_cache
@login_required
@sensitive_post_parameters("code")
def second_factor_check(request):
    """The code after the password."""
    if not sessions.owes_factor(request):
        return HttpResponseRedirect(_target(request))
    if secondfactor.of(request.user) is None:
        return HttpResponseRedirect(f"{reverse('second_factor')}?{_onwards(request)}")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        how = _try(request, form.cleaned_data["code"], whole=True)
        if how:
            sessions.complete(request, factor=True)
            return HttpResponseRedirect(_target(request))
        form.add_error("code", _wrong())
    return _page(request, "signin/check.html", title=_("Second factor"), form=form)


@never_cache
@login_required
@sensitive_post_parameters("code")
def confirm_identity(request):
    """The code again, or the password where there is no second factor, before something that asks for it."""
    has_factor = secondfactor.of(request.user) is not None
    form = (CodeForm if has_factor else PasswordAgainForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if _try(request, form.cleaned_data["code"], whole=False, password=not has_factor):
            freshness.prove(request)
            return HttpResponseRedirect(_target(request))
        form.add_error("code", _wrong() if has_factor else _("This is not your password."))
    return _page(request, "signin/confirm.html", title=_("Confirm that it is you"), form=form, has_factor=has_factor)


@never_cache
@login_required
@sensitive_post_parameters("code")
def second_factor(request):
    """Enrol a second factor; where there is one, say so, and replace or remove it after a fresh proof."""
    owed, present = sessions.owes_factor(request), secondfactor.of(request.user)
    if owed and present:
        return HttpResponseRedirect(f"{reverse('second_factor_check')}?{_onwards(request)}")
    deed = request.POST.get("deed", "")
    enrolling = present is None or "replace" in request.GET
    if not owed and (enrolling or deed) and not freshness.is_fresh(request):
        return freshness.ask_again(request, back=request.get_full_path())
    if deed in DEEDS and present:
        return DEEDS[deed](request)
    if not enrolling:
        left = secondfactor.codes_left(request.user)
        return _page(request, "signin/factor.html", title=_("Second factor"), device=present, left=left)
    return _enrol(request, owed=owed, replaced=present is not None)


def _enrol(request, *, owed: bool, replaced: bool):
    device = secondfactor.start(request.user)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        codes = secondfactor.confirm(device, form.cleaned_data["code"])
        if codes:
            reason = "replaced" if replaced else ""
            audit.record(
                EventCode.SECOND_FACTOR_ADDED, request=request, kind="user", ids=[request.user.pk], reason=reason
            )
            sessions.end_all(request.user, sessions.Reason.FACTOR, request=request)
            _factor_given(request, owed=owed)
            return _page(request, "signin/codes.html", title=_("Recovery codes"), codes=codes)
        form.add_error("code", _wrong())
    key = secondfactor.key_as_text(device)
    return _page(request, "signin/enrol.html", title=_("Add a second factor"), form=form, key=key, replaced=replaced)


def _factor_given(request, *, owed: bool) -> None:
    if owed:
        sessions.complete(request, factor=True)
        return
    request.session[sessions.FACTOR] = sessions.GIVEN
    request.session.cycle_key()
    freshness.prove(request)


def _new_codes(request):
    codes = secondfactor.new_recovery_codes(request.user)
    audit.record(
        EventCode.SECOND_FACTOR_ADDED, request=request, kind="user", ids=[request.user.pk], reason="new recovery codes"
    )
    return _page(request, "signin/codes.html", title=_("Recovery codes"), codes=codes)


def _remove(request):
    secondfactor.remove(request.user)
    request.session.pop(sessions.FACTOR, None)
    request.session.cycle_key()
    audit.record(EventCode.SECOND_FACTOR_REMOVED, request=request, kind="user", ids=[request.user.pk], reason="own")
    sessions.end_all(request.user, sessions.Reason.FACTOR, request=request)
    messages.success(request, _("The second factor was removed, and your other sessions were ended."))
    return HttpResponseRedirect(reverse("second_factor") if sessions.owes_factor(request) else reverse("admin:index"))


DEEDS = {"codes": _new_codes, "remove": _remove}


@require_GET
@never_cache
@login_required
def second_factor_picture(request):
    """The key that is being enrolled, as a QR code: an image of ours, since pages may hold none inline."""
    device = secondfactor.being_enrolled(request.user)
    owed = sessions.owes_factor(request)
    if device is None or (owed and secondfactor.of(request.user)) or not (owed or freshness.is_fresh(request)):
        raise Http404
    picture = BytesIO()
    segno.make(secondfactor.key_as_address(device), error="m").save(
        picture, kind="svg", scale=5, border=4, dark="#000", light="#fff", xmldecl=False
    )
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


def _try(request, typed: str, *, whole: bool, password: bool = False) -> bool:
    """Check a code or the password against the locks. One too many ends the session: whoever it is signs in anew."""
    name, now = request.user.username, clock.now()
    attempt = lockout.admit(name, request, now=now)
    if attempt is None:
        return _lock(request)
    if password:
        right, failure = request.user.check_password(typed), EventCode.SIGN_IN_FAILED
    else:
        right, failure = secondfactor.check(request.user, typed), EventCode.SECOND_FACTOR_FAILED
    if right:
        lockout.passed(attempt, name, request, whole=whole)
        if right == "recovery":
            _tell_recovery(request)
        return True
    return _lock(request) if lockout.failed(attempt, name, request, now=now, code=failure) else False


def _lock(request) -> bool:
    sessions.end(sessions.StaffSession.objects.filter(pk=_own(request)), sessions.Reason.LOCKED, request=request)
    logout(request)
    request.axes_locked_out = True
    return False


def _own(request) -> int | None:
    own = sessions.current(request)
    return own.pk if own else None


def _tell_recovery(request) -> None:
    left = secondfactor.codes_left(request.user)
    audit.record(EventCode.RECOVERY_CODE_USED, request=request, outcome=Outcome.OK, kind="user", ids=[request.user.pk])
    text = ngettext("%(count)s recovery code is left.", "%(count)s recovery codes are left.", left) % {"count": left}
    if left <= FEW_CODES:
        text += " " + _("Make new ones under “Second factor”.")
    messages.warning(request, text)


def _wrong() -> str:
    return _("This code is not right, or was used already. Wait for the next one and type it again.")


def _page(request, template: str, **context):
    onwards = {"next": _target(request), "onwards": _onwards(request)}
    return render(request, template, admin.site.each_context(request) | onwards | context)


def _target(request) -> str:
    """Where to go afterwards: a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours else reverse("admin:index")


def _onwards(request) -> str:
    return urlencode({"next": _target(request)})
