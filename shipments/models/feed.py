"""One submission to Amazon for many parcels of one account. Its notices are its messages: no XML is kept."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.constraints import known_values
from stores.models import AmazonAccount


class FeedState(models.TextChoices):
    """Where a submission stands."""

    BUILDING = "building", _("being prepared")  # nothing at Amazon has any effect yet
    SUBMITTING = "submitting", _("being handed over")  # the call that counts is on its way, or was cut off
    UNKNOWN = "unknown", _("outcome unknown, being looked up")
    SUBMITTED = "submitted", _("with Amazon, result awaited")
    DONE = "done", _("processed")
    FAILED = "failed", _("failed: its orders are told one by one")


FeedState.OPEN = (FeedState.BUILDING, FeedState.SUBMITTING, FeedState.UNKNOWN, FeedState.SUBMITTED)


class FeedQuerySet(models.QuerySet):
    def open(self):
        return self.filter(state__in=FeedState.OPEN)

    def due(self, now):
        """Open ones to look at now, oldest first."""
        return self.open().filter(next_check_at__lte=now).order_by("next_check_at", "pk")

    def move(self, feed, *, frm: str, **changes) -> bool:
        """Change a row only if it still is as we left it. False if another holder has it."""
        return bool(self.filter(pk=feed.pk, state=frm, fence=feed.fence).update(**changes))


class Feed(models.Model):
    """A bulk submission of one account, for all its stores. Instants are UTC."""

    State = FeedState

    account = models.ForeignKey(AmazonAccount, models.PROTECT, verbose_name=_("account"), related_name="feeds")
    state = models.CharField(_("state"), max_length=12, choices=FeedState.choices, default=FeedState.BUILDING)
    created_at = models.DateTimeField(_("created at"), default=clock.now)
    document_id = models.CharField(_("document"), max_length=200, blank=True)
    feed_id = models.CharField(_("feed ID"), max_length=60, blank=True)
    remote_status = models.CharField(_("status at Amazon"), max_length=20, blank=True)
    found_again = models.BooleanField(_("looked up after a lost answer"), default=False)
    messages = models.PositiveIntegerField(_("orders"), default=0)
    accepted = models.PositiveIntegerField(_("accepted"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    submitted_at = models.DateTimeField(_("handed over at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    next_check_at = models.DateTimeField(_("next look at"), default=clock.now)
    checks = models.PositiveIntegerField(_("looks"), default=0)
    fence = models.PositiveIntegerField(_("start number"), default=0)
    error_code = models.CharField(_("error"), max_length=60, blank=True)

    objects = FeedQuerySet.as_manager()

    class Meta:
        verbose_name = _("submission to Amazon")
        verbose_name_plural = _("submissions to Amazon")
        ordering = ["-pk"]
        constraints = [
            known_values("state", FeedState, "feed_state_known"),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(state__in=[str(state) for state in FeedState.OPEN]),
                name="feed_one_open",
            ),
            models.UniqueConstraint(
                fields=["account", "feed_id"], condition=~Q(feed_id=""), name="feed_id_once_per_account"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["submitted", "done"]) | ~Q(feed_id=""), name="feed_submitted_has_id"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "failed"], finished_at__isnull=False)
                | (~Q(state__in=["done", "failed"]) & Q(finished_at__isnull=True)),
                name="feed_finished_has_instant",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"], name="feed_due",
                condition=Q(state__in=[str(state) for state in FeedState.OPEN]),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"#{self.pk}"
