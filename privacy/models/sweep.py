"""How the erasure sweep fares: when it last went through, and why it holds."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SweepState(models.Model):
    """One row. `last_ok_at`: end of the last sweep that left nothing due; `last_now`: the clock it went by.

    `held_since`, `held_why`: set while a clock that cannot be trusted keeps the sweep from erasing.
    """

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    last_ok_at = models.DateTimeField(_("last sweep without anything left"), null=True, blank=True)
    last_now = models.DateTimeField(_("clock of the last sweep"), null=True, blank=True)
    held_since = models.DateTimeField(_("held since"), null=True, blank=True)
    held_why = models.CharField(_("held because"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("state of the erasure sweep")
        verbose_name_plural = _("state of the erasure sweep")
        permissions = [("view_lag", _("Can see how far erasure is behind"))]
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="sweep_state_is_one_row")]

    def __str__(self) -> str:
        return str(self.last_ok_at or "")
