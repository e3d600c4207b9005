"""Staff users and the record of the jobs. What would let staff run code or grant rights is not registered."""

import django_q.admin  # noqa: F401  registers its models first, so that they can be taken out below
from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, OrmQ, Schedule, Success

from orderhub import (
    admin_keys,  # noqa: F401  registers the API keys
    admin_roles,
    wording,
)
from orderhub.admin_signin import NewUserForm, PasswordForm, SignInDoors, UserForm
from orderhub.freshness import ask_again, is_fresh
from orderhub.lists import ShortSearch
from orderhub.models import JobLease, JobRun, User
from privacy import access

# The queue's rows name functions to call, with arguments: a form for them would let staff run any code.
admin.site.unregister([Schedule, Success, Failure, OrmQ])
# Rights of a role are written in privacy/access.py only.
admin.site.unregister(Group)

NOT_WITH_ADMINISTRATOR = {access.SUPPORT, access.SUCCESS, access.WAREHOUSE}


class RoleField(forms.ModelMultipleChoiceField):
    """The five roles, by their names in the reader's language."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, group) -> str:
        return access.LABELS[group.name]

    def clean(self, value):
        """Who manages users sees no buyer: the role stands alone, or beside the privacy officer's."""
        groups = super().clean(value)
        names = {group.name for group in groups}
        if access.ADMINISTRATOR in names and names & NOT_WITH_ADMINISTRATOR:
            raise forms.ValidationError(
                gettext("An administrator cannot be in support, customer success or the warehouse as well.")
            )
        return groups


class GivesRoles:
    """For the forms of users: no role is given while the access review is overdue. The admin says whose `request` it is."""

    request = None

    def clean(self):
        found = super().clean()
        held = {group.name for group in self.instance.groups.all()} if self.instance.pk else set()
        self._refuse("groups", held, [group.name for group in found.get("groups", [])])
        if found.get("is_superuser") and not self.instance.is_superuser:
            self._refuse("is_superuser", [], ["superuser"])
        return found

    def _refuse(self, field: str, held, wanted) -> None:
        if refusal := admin_roles.why_not(held, wanted):
            admin_roles.record_refusal(self.instance.pk, request=self.request)
            self.add_error(field, refusal)


class ChangeForm(GivesRoles, UserForm):
    """A user, and that rule."""


class AddForm(GivesRoles, NewUserForm):
    """A new user, and that rule."""


class RoleFilter(admin.SimpleListFilter):
    """The five roles, by their names in the reader's language."""

    title = _("role")
    parameter_name = "role"

    def lookups(self, request, model_admin):
        return list(access.LABELS.items())

    def queryset(self, request, queryset):
        return queryset.filter(groups__name=self.value()) if self.value() in access.LABELS else queryset


@admin.register(User)
class UserAdmin(SignInDoors, ShortSearch, auth_admin.UserAdmin):
    """Users are made inactive, not deleted: the logs go on naming them."""

    form, add_form = ChangeForm, AddForm
    add_form_template = None
    change_password_form = PasswordForm
    list_display = ["username", "first_name", "last_name", "roles", "is_active", "last_seen"]
    list_filter = ["is_active", RoleFilter]
    add_words = _("New user")
    search_fields = ["username", "first_name", "last_name"]
    filter_horizontal = []
    readonly_fields = ["last_seen", "joined", "password_changed"]
    actions = None
    show_full_result_count = False
    add_fieldsets = [
        (None, {"fields": ["username", "password1", "password2"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email", "language"]}),
        (_("Roles"), {"fields": ["groups"]}),
    ]

    def get_queryset(self, request):
        """Staff only: the accounts of API keys are on the keys' own pages."""
        return super().get_queryset(request).filter(is_client=False).prefetch_related("groups")

    @admin.display(description=_("Roles"))
    def roles(self, user):
        return ", ".join(str(access.LABELS.get(group.name, group.name)) for group in user.groups.all()) or "–"

    @admin.display(description=_("Last sign-in"), ordering="last_login")
    def last_seen(self, user):
        return wording.utc(user.last_login)

    @admin.display(description=_("Added"))
    def joined(self, user):
        return wording.utc(user.date_joined)

    @admin.display(description=_("Password changed"))
    def password_changed(self, user):
        return wording.utc(user.password_changed_at)

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            return self.add_fieldsets
        rights = ["is_active", "groups"]
        if request.user.is_superuser:
            rights.append("is_superuser")
        return [
            (None, {"fields": ["username", "password"]}),
            (_("Person"), {"fields": ["first_name", "last_name", "email", "language"]}),
            (_("Rights"), {"fields": rights}),
            (_("Important dates"), {"fields": self.readonly_fields}),
        ]

    def get_readonly_fields(self, request, obj=None):
        """Nobody changes their own rights, not even downwards by mistake."""
        own = ["is_active", "groups", "is_superuser"] if obj is not None and obj.pk == request.user.pk else []
        return [*self.readonly_fields, *own]

    def has_change_permission(self, request, obj=None):
        """A superuser is changed by superusers only: with their password one would be one."""
        allowed = super().has_change_permission(request, obj)
        return allowed and not (obj is not None and obj.is_superuser and not request.user.is_superuser)

    def has_delete_permission(self, request, obj=None):
        return False

    def user_change_password(self, request, id, form_url=""):
        """The stock view, behind the rule above also for an unknown id."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if str(id) != str(request.user.pk) and _needs_proof(request):
            return ask_again(request)
        return super().user_change_password(request, id, form_url)

    def get_form(self, request, obj=None, **kwargs):
        form = super().get_form(request, obj, **kwargs)
        form.request = request  # a class made for this request
        return form

    def save_model(self, request, obj, form, change):
        if not change:
            obj.is_staff = True  # there is no other kind of user
        super().save_model(request, obj, form, change)

    def add_view(self, request, form_url="", extra_context=None):
        if self.has_add_permission(request) and _needs_proof(request):
            return ask_again(request)
        return super().add_view(request, form_url, {"title": self.add_words} | (extra_context or {}))

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if self.has_change_permission(request) and _needs_proof(request):
            return ask_again(request)
        return super().change_view(request, object_id, form_url, extra_context)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name == "groups":
            known = Group.objects.filter(name__in=access.ROLES).order_by("name")
            return RoleField(known, required=False, label=_("Roles"))
        return super().formfield_for_manytomany(db_field, request, **kwargs)


def _needs_proof(request) -> bool:
    """Accounts and roles are changed by somebody who proved lately who they are; they are read without."""
    return request.method == "POST" and not is_fresh(request)


class ReadOnly(ShortSearch, admin.ModelAdmin):
    """Rows that jobs write and people read."""

    actions = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(JobRun)
class JobRunAdmin(ReadOnly):
    list_display = ["job", "started", "seconds", "state", "outcome", "error_id"]
    list_filter = ["ok"]
    search_fields = ["job", "=error_id"]
    search_help_text = _("A job's name or an error id")
    date_hierarchy = "started_at"
    ordering = ["-started_at", "-pk"]
    fields = ["job", "started", "finished", "seconds", "state", "outcome", "error_id"]

    @admin.display(description=_("started at"), ordering="started_at")
    def started(self, run):
        return wording.utc(run.started_at)

    @admin.display(description=_("finished at"))
    def finished(self, run):
        return wording.utc(run.finished_at)

    @admin.display(description=_("seconds"))
    def seconds(self, run):
        if run.finished_at is None:
            return "–"
        return f"{(run.finished_at - run.started_at).total_seconds():.1f}"

    @admin.display(description=_("Result"), ordering="ok")
    def state(self, run):
        match run.ok:
            case True:
                return wording.badge(gettext("succeeded"), "ok")
            case False:
                return wording.badge(gettext("failed"), "bad")
            case _:
                return wording.badge(gettext("not ended"), "warn")


@admin.register(JobLease)
class JobLeaseAdmin(ReadOnly):
    list_display = ["job", "until", "starts"]
    search_fields = ["job"]
    ordering = ["job"]
    fields = ["job", "until", "starts"]

    @admin.display(description=_("expires at"), ordering="expires_at")
    def until(self, lease):
        return wording.utc(lease.expires_at)
