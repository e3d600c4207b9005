"""What staff add to an order: notes, tags."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.constraints import known_values
from orders.models.order import Order
from privacy import markers
from privacy.fields import PersonalTextField


class OrderNote(models.Model):
    """A note of staff, or of a rule where it has no author. Never changed; one that names the buyer is erased with
    the order."""

    order = models.ForeignKey(Order, models.CASCADE, verbose_name=_("order"), related_name="notes")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("author"), related_name="+"
    )
    at = models.DateTimeField(_("at"), default=clock.now)
    text = PersonalTextField(_("note"), owner="notes:order_id")
    marker = models.CharField(_("erased with"), max_length=20, blank=True, default="")

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(marker__in=["", *markers.MARKERS]), name="note_marker_is_known"),
            models.CheckConstraint(condition=Q(marker="") | Q(text=F("marker")), name="note_latch_text"),
            models.CheckConstraint(condition=~Q(text=""), name="note_is_not_empty"),
        ]

    def __str__(self) -> str:
        return f"#{self.order_id}"


class TagLevel(models.TextChoices):
    """How a tag is tinted; the names of orderhub.wording.LEVELS."""

    MUTED = "muted", _("grey")
    INFO = "info", _("blue")
    OK = "ok", _("green")
    WARN = "warn", _("yellow")
    BAD = "bad", _("red")


class Tag(models.Model):
    """A word on orders. For work, not for people: the form says so, and names are never erased from it."""

    name = models.CharField(_("name"), max_length=40)
    level = models.CharField(_("colour"), max_length=8, choices=TagLevel.choices, default=TagLevel.MUTED)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="tag_name_once", violation_error_message=_("A tag of this name exists already.")
            ),
            models.CheckConstraint(condition=~Q(name=""), name="tag_has_name"),
            known_values("level", TagLevel, "tag_level_known"),
        ]

    def __str__(self) -> str:
        return self.name


class SavedView(models.Model):
    """Filters of the order list under a name. `query`: parameters of known filters only, never a search text."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("owner"), related_name="saved_views"
    )
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("filters"), max_length=500, blank=True)
    shared = models.BooleanField(_("for everybody"), default=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("owner", Lower("name"), name="saved_view_once"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_view_has_name"),
        ]

    def __str__(self) -> str:
        return self.name
