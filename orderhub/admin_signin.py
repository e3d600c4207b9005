"""A user's page: how they sign in, and what an administrator does about it. Every deed is recorded and ends sessions."""

from django import forms
from django.contrib import messages
from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orderhub import admin_roles, clock
from orderhub.doors import post_only
from orderhub.freshness import fresh_required
from orderhub.models import User
from orderhub.signin import lockout, secondfactor, sessions
from orderhub.signin.forms import names_nobody
from privacy import audit
from privacy.models.event import EventCode

PAGE = "admin:orderhub_user_change"


class PersonsNameMixin:
    """A user name is one person's."""

    def clean_username(self):
        name = self.cleaned_data["username"]
        if names_nobody(name) and name != self.instance.username:
            raise forms.ValidationError(
                _("This name could be anybody’s. Take one of a person, for example first name and last name.")
            )
        return super().clean_username() if hasattr(super(), "clean_username") else name


class NewUserForm(PersonsNameMixin, UserCreationForm):
    """The stock form; the password is for the first sign-in only."""

    def save(self, commit=True):
        self.instance.password_is_temporary = True
        return super().save(commit)


class UserForm(PersonsNameMixin, UserChangeForm):
    """The stock form."""


class PasswordForm(AdminPasswordChangeForm):
    """The stock form; who set the password knows it, so its owner must choose another."""

    def save(self, commit=True):
        self.user.password_is_temporary = True
        return super().save(commit)


class SignInDoors:
    """Mixed into the users' admin: the panel, its three deeds, and what other changes mean for sessions."""

    def get_urls(self):
        doors = {"unlock": self.unlock, "remove-factor": self.remove_factor, "end-sessions": self.end_sessions}
        named = [
            path(f"<int:user_id>/{name}/", self.admin_site.admin_view(view), name=f"orderhub_user_{name}")
            for name, view in doors.items()
        ]
        return named + super().get_urls()

    def change_view(self, request, object_id, form_url="", extra_context=None):
        user = User.objects.filter(pk=object_id, is_client=False).first() if object_id.isdigit() else None
        facts = {"signin": _facts(user)} if user and self.has_change_permission(request, user) else {}
        return super().change_view(request, object_id, form_url, facts | (extra_context or {}))

    @post_only(PAGE)
    @fresh_required
    def unlock(self, request, user_id):
        user = self._user(request, user_id)
        lockout.unlock(user, request=request)
        return self._back(request, user, _("%(user)s may sign in again."))

    @post_only(PAGE)
    @fresh_required
    def remove_factor(self, request, user_id):
        user = self._user(request, user_id)
        if user.pk == request.user.pk:  # one's own asks for more: a code of it
            return HttpResponseRedirect(reverse("second_factor"))
        if secondfactor.remove(user):
            audit.record(
                EventCode.SECOND_FACTOR_REMOVED, request=request, kind="user", ids=[user.pk], reason="administrator"
            )
            sessions.end_all(user, sessions.Reason.FACTOR, request=request)
        return self._back(
            request, user, _("%(user)s has no second factor any more, and adds a new one at the next sign-in.")
        )

    @post_only(PAGE)
    @fresh_required
    def end_sessions(self, request, user_id):
        user = self._user(request, user_id)
        count = sessions.end_all(user, sessions.Reason.BY_HAND, request=request)
        text = ngettext("%(count)s session of %(user)s was ended.", "%(count)s sessions of %(user)s were ended.", count)
        return self._back(request, user, text, count=count)

    def user_change_password(self, request, id, form_url=""):
        if str(id) == str(request.user.pk):  # one's own asks for the old one
            return HttpResponseRedirect(reverse("admin:password_change"))
        answer = super().user_change_password(request, id, form_url)
        if request.method == "POST" and answer.status_code == 302:
            user = User.objects.get(pk=id)
            audit.record(
                EventCode.PASSWORD_CHANGED, request=request, kind="user", ids=[user.pk], reason="administrator"
            )
            sessions.end_all(user, sessions.Reason.PASSWORD, request=request)
        return answer

    def save_model(self, request, obj, form, change):
        switched = change and "is_active" in form.changed_data
        if switched and obj.is_active:
            obj.active_since = clock.now()
        super().save_model(request, obj, form, change)
        if switched:
            reason = "activated" if obj.is_active else "deactivated"
            audit.record(EventCode.USER_CHANGED, request=request, kind="user", ids=[obj.pk], reason=reason)
        if switched and not obj.is_active:
            sessions.end_all(obj, sessions.Reason.DEACTIVATED, request=request)

    def save_related(self, request, form, formsets, change):
        """Roles are given here and nowhere else: the security log keeps who gave which to whom."""
        user = form.instance
        before = admin_roles.held(user) if "groups" in form.changed_data else None
        super().save_related(request, form, formsets, change)
        after = admin_roles.held(user) if before is not None else set()
        given, taken = after - (before or set()), (before or set()) - after
        if change and "is_superuser" in form.changed_data:
            (given if user.is_superuser else taken).add("superuser")
        if admin_roles.record(user.pk, given=given, taken=taken, request=request):
            sessions.end_all(user, sessions.Reason.ROLES, request=request)

    def _user(self, request, user_id: int) -> User:
        user = get_object_or_404(User, pk=user_id, is_client=False)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        return user

    def _back(self, request, user: User, text: str, **facts):
        messages.success(request, text % (facts | {"user": user.username}))
        return HttpResponseRedirect(reverse(PAGE, args=[user.pk]))


def _facts(user: User) -> dict:
    """What the panel says. Four statements."""
    now = clock.now()
    device = secondfactor.of(user)
    return {
        "user": user,
        "lock": lockout.state_of(user.username, now=now),
        "device": device,
        "codes_left": secondfactor.codes_left(user) if device else 0,
        "sessions": sessions.StaffSession.objects.live(now=now).filter(user=user).count(),
    }
