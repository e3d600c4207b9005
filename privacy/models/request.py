"""Requests to erase somebody's data now, whatever the schedule says."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orderhub import clock
from orderhub.constraints import known_values


class RequestState(models.TextChoices):
    """How far a request is."""

    ASKED = "asked", _("to be decided")
    SECOND = "second", _("waits for a second person")
    APPROVED = "approved", _("being carried out")
    DONE = "done", _("carried out")
    REFUSED = "refused", pgettext_lazy("of a request", "refused")


class RequestReason(models.TextChoices):
    """Who wants it. A code: no free text, so that no name gets in."""

    BUYER = "buyer", _("The buyer asked for erasure (GDPR)")
    AMAZON = "amazon", _("Amazon asked for erasure")
    AUTHORITY = "authority", _("An authority ordered it")


class PersonalDataRequest(models.Model):
    """Orders whose personal data somebody wants gone. Ids and codes only: it outlives what it erases."""

    State, Reason = RequestState, RequestReason

    order_ids = models.JSONField(_("order ids"), default=list)
    reason = models.CharField(_("reason"), max_length=12, choices=RequestReason.choices)
    state = models.CharField(_("state"), max_length=10, choices=RequestState.choices, default=RequestState.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("asked by"), related_name="+")
    asked_at = models.DateTimeField(_("asked at"), default=clock.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("decided by"), related_name="+"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    second_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("second person"),
        related_name="+",
    )  # fmt: skip
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("erasure request")
        verbose_name_plural = _("erasure requests")
        ordering = ["-asked_at", "-pk"]
        permissions = [
            ("ask_erasure", _("Can ask for the erasure of an order")),
            ("carry_out_erasure", _("Can decide on erasure requests")),
        ]
        constraints = [
            known_values("state", RequestState, "request_state_known"),
            known_values("reason", RequestReason, "request_reason_known"),
            models.CheckConstraint(
                condition=Q(second_by__isnull=True) | ~Q(second_by=F("decided_by")), name="request_second_is_another"
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(done_at__isnull=False, decided_by__isnull=False),
                name="request_done_is_decided",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
