"""Doors to the automation rules: their list in the order they run, the editor, the trial on last week's orders."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max
from django.http import HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from orderhub import clock
from orderhub.doors import post_only
from orders import rehearsing
from orders.admin_tags import number
from orders.forms_rules import RuleForm
from orders.models import AutomationRule
from orders.rules import engine, words
from orders.vocabulary import Vocabulary

LIST = "admin:orders_automationrule_changelist"
TRIAL = "admin:orders_automationrule_trial"
MOST_POSITION = 9999


@admin.register(AutomationRule)
class AutomationRuleAdmin(admin.ModelAdmin):
    """Rules are few: one page shows them all, in the order in which they run."""

    actions = None

    def get_urls(self):
        def own(address, view, name):
            return path(address, self.admin_site.admin_view(view), name=f"orders_automationrule_{name}")

        return [
            own("order/", self.order_view, "order"),
            own("<int:pk>/trial/", self.trial_view, "trial"),
            own("<int:pk>/switch/", self.switch_view, "switch"),
            *super().get_urls(),
        ]

    # -- the list

    def changelist_view(self, request, extra_context=None):
        _allow(self.has_view_permission(request))
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        options = Vocabulary()
        rows = [_shown(rule, options) for rule in AutomationRule.objects.select_related("changed_by")]
        return self._render(request, "list", _("Automation rules"), rows=rows)

    def order_view(self, request):
        """Take the numbers typed beside the rules; equal ones keep the order they had."""
        if request.method != "POST":
            return HttpResponseRedirect(reverse(LIST))
        _allow(self.has_change_permission(request))
        with transaction.atomic():
            rules = list(AutomationRule.objects.select_for_update())
            wanted = sorted(rules, key=lambda rule: _place(request.POST.get(f"position-{rule.pk}"), rule.position))
            for position, rule in enumerate(wanted, start=1):
                rule.position = position
            AutomationRule.objects.bulk_update(rules, ["position"])
        messages.success(request, _("The order is kept."))
        return HttpResponseRedirect(reverse(LIST))

    # -- switching on and off

    @post_only(TRIAL)
    def switch_view(self, request, pk):
        _allow(self.has_change_permission(request))
        rule = get_object_or_404(AutomationRule, pk=pk)
        on = request.POST.get("active") == "on"
        if on and isinstance(_ready(rule), engine.Broken):
            messages.error(request, _("This rule cannot be switched on: open it, correct it and save it."))
            return HttpResponseRedirect(reverse(LIST))
        AutomationRule.objects.filter(pk=pk).update(
            active=on, changed_at=clock.now(), changed_by=request.user, broken_at=None, broken_code=""
        )
        self.log_change(request, rule, [{"changed": {}}])
        told = _("“%(rule)s” is active: it runs on orders that come in from now on.") if on else _("“%(rule)s” is off.")
        messages.success(request, told % {"rule": rule.name})
        return HttpResponseRedirect(reverse(LIST))

    def trial_view(self, request, pk):
        """What the rule, as it is saved, would have done last week. Nothing is written."""
        _allow(self.has_view_permission(request))
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        rule, options = get_object_or_404(AutomationRule, pk=pk), Vocabulary()
        found = rehearsing.rehearse(rule, options, now=clock.now())
        title = _("Trial of “%(rule)s”") % {"rule": rule.name}
        return self._render(
            request, "trial", title, row=_shown(rule, options), rehearsal=found,
            may_change=self.has_change_permission(request),
        )  # fmt: skip

    # -- the editor

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """`go` of the pressed button: save, try (nothing is saved), or more rows."""
        rule = AutomationRule() if object_id is None else get_object_or_404(AutomationRule, pk=number(object_id))
        may = self.has_add_permission(request) if object_id is None else self.has_change_permission(request)
        if request.method != "POST":
            _allow(may or (object_id is not None and self.has_view_permission(request)))
            return self._editor(request, rule, RuleForm(rule, Vocabulary(editing=rule)))
        _allow(may)
        form, go = RuleForm(rule, Vocabulary(editing=rule), request.POST), request.POST.get("go", "save")
        if go.startswith("more-"):
            return self._editor(request, rule, form.with_more(go.removeprefix("more-")))
        if not form.is_valid():
            return self._editor(request, rule, form)
        if go == "try":
            tried = rehearsing.rehearse(form.fill(AutomationRule(pk=rule.pk)), form.options, now=clock.now())
            return self._editor(request, rule, form, rehearsal=tried)
        return self._save(request, rule, form)

    def _save(self, request, rule: AutomationRule, form: RuleForm):
        """A new rule comes last and is off: it is switched on where its trial is seen."""
        is_new = rule.pk is None
        with transaction.atomic():
            if is_new:
                last = AutomationRule.objects.aggregate(last=Max("position"))["last"] or 0
                rule = form.fill(AutomationRule(position=last + 1))
            else:
                rule = AutomationRule.objects.select_for_update().get(pk=rule.pk)
                if form.head.cleaned_data["as_loaded"] != rule.changed_at.isoformat():
                    form.head.add_error(None, _("Somebody changed this rule meanwhile. Open it anew in another tab."))
                    return self._editor(request, rule, form)
                form.fill(rule)
            rule.changed_at, rule.changed_by = clock.now(), request.user
            rule.broken_at, rule.broken_code = None, ""
            rule.save()
        if is_new:
            self.log_addition(request, rule, [{"added": {}}])
        else:
            self.log_change(request, rule, [{"changed": {}}])
        messages.success(request, _kept(rule))
        return HttpResponseRedirect(reverse(LIST) if rule.active else reverse(TRIAL, args=[rule.pk]))

    def _editor(self, request, rule: AutomationRule, form: RuleForm, **more):
        is_new = rule.pk is None
        may = self.has_add_permission(request) if is_new else self.has_change_permission(request)
        title = (
            _("New rule") if is_new else _("Rule “%(rule)s”") % {"rule": AutomationRule.objects.get(pk=rule.pk).name}
        )
        return self._render(
            request, "editor", title, rule=rule, form=form, may_change=may, scopes=words.SCOPE_WORDS.items(),
            lists=form.options.all, wrong=form.wrong, **more,
            may_delete=not is_new and self.has_delete_permission(request),
        )  # fmt: skip

    def _render(self, request, name: str, title: str, **context):
        request.current_app = self.admin_site.name
        context = self.admin_site.each_context(request) | {"title": title, "opts": self.opts} | context
        context |= {"may_add": self.has_add_permission(request), "may_order": self.has_change_permission(request)}
        return TemplateResponse(request, f"orders/rule_{name}.html", context)


def _allow(allowed: bool) -> None:
    if not allowed:
        raise PermissionDenied


def _place(text: str | None, present: int) -> int:
    """The place typed beside a rule; its present one for anything that is no number."""
    return min(int(text), MOST_POSITION) if text and text.isascii() and text.isdigit() and len(text) < 10 else present


def _ready(rule: AutomationRule) -> engine.Rule | engine.Broken:
    return engine.compiled(rule.pk, rule.name, rule.criteria, rule.actions, stops=rule.stops)


def _shown(rule: AutomationRule, options: Vocabulary) -> dict:
    """A rule in words; one that makes no sense says so instead."""
    if isinstance(_ready(rule), engine.Broken):
        return {"rule": rule, "unreadable": True, "failure": words.broken("Invalid:")}
    return {
        "rule": rule,
        "conditions": words.conditions(rule.criteria, options),
        "deeds": words.deeds(rule.actions, options),
        "failure": words.broken(rule.broken_code) if rule.broken_at else "",
    }


def _kept(rule: AutomationRule) -> str:
    if rule.active:
        return _("“%(rule)s” is saved and goes for orders that come in from now on.") % {"rule": rule.name}
    return _("“%(rule)s” is saved and off. Look at its trial below, then switch it on.") % {"rule": rule.name}
