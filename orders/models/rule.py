"""Automation rules, and what they decided about an order."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orders.models.order import Order


class AutomationRule(models.Model):
    """If all groups of criteria hold, do the actions. Run in the order of `position`, once per order.

    `criteria`: a list of groups, all of which must hold: {"lines": "", "criteria": [{"fact", "test", "value"}]}, where
    `lines` is "" (about the order), "any" or "all" (about its lines). `actions`: a list of {"do", "value"}. What may
    stand in both is defined by orders/rules. A rule that breaks is noted here and skipped; it never stops an import.
    """

    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveIntegerField(_("position"), default=0)
    active = models.BooleanField(_("active"), default=False)
    criteria = models.JSONField(_("criteria"), default=list, blank=True)
    actions = models.JSONField(_("actions"), default=list, blank=True)
    stops = models.BooleanField(_("no further rule after this one"), default=False)
    broken_at = models.DateTimeField(_("last failed at"), null=True, blank=True, editable=False)
    broken_code = models.CharField(_("failed with"), max_length=60, blank=True, editable=False)
    changed_at = models.DateTimeField(_("changed at"), default=clock.now, editable=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False,
        verbose_name=_("changed by"), related_name="+",
    )  # fmt: skip

    class Meta:
        verbose_name = _("automation rule")
        verbose_name_plural = _("automation rules")
        ordering = ["position", "pk"]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="rule_has_name")]

    def __str__(self) -> str:
        return self.name


class RuleFiring(models.Model):
    """What every rule said of an order the one time they ran. The primary key makes it once.

    `trace`: a list, in the order of running, of {"rule": id, "name", "fired", "why": code and place of the first
    criterion that failed, "did": action codes}. No value of an order, let alone of a person.
    """

    order = models.OneToOneField(
        Order, models.CASCADE, primary_key=True, verbose_name=_("order"), related_name="firing"
    )
    at = models.DateTimeField(_("at"), default=clock.now)
    trace = models.JSONField(_("trace"), default=list)

    class Meta:
        verbose_name = _("run of the rules")
        verbose_name_plural = _("runs of the rules")

    def __str__(self) -> str:
        return f"#{self.order_id}"
