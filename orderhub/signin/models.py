"""What signing in remembers of members of staff: sessions, second factors, hashes of former passwords."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device

from orderhub import clock
from privacy.fields import EncryptedTextField


class StaffSessionQuerySet(models.QuerySet):
    def live(self, *, now):
        """Open, not too long unseen, not too old."""
        return self.filter(
            ended_at__isnull=True,
            last_seen_at__gt=now - settings.SESSION_IDLE,
            started_at__gt=now - settings.SESSION_LIFE,
        )


class StaffSession(models.Model):
    """One sign-in at one browser. The browser's session names this row; an ended row ends it at the next request."""

    class Reason(models.TextChoices):
        SIGNED_OUT = "signed_out", _("signed out")
        IDLE = "idle", _("unused for too long")
        TOO_OLD = "too_old", _("open for too long")
        TOO_MANY = "too_many", _("signed in elsewhere")
        PASSWORD = "password", _("the password was changed")  # noqa: S105
        FACTOR = "factor", _("the second factor was changed")
        ROLES = "roles", _("the roles were changed")
        DEACTIVATED = "deactivated", _("the account was made inactive")
        LOCKED = "locked", _("too many wrong codes")
        BY_HAND = "by_hand", _("ended by an administrator")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="staff_sessions")
    started_at = models.DateTimeField(_("started at"), default=clock.now)
    last_seen_at = models.DateTimeField(_("last seen at"), default=clock.now)
    signed_in_at = models.DateTimeField(_("signed in at"), null=True)  # null: the second factor is owed
    ended_at = models.DateTimeField(_("ended at"), null=True)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason.choices, blank=True)

    objects = StaffSessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("staff session")
        verbose_name_plural = _("staff sessions")
        default_permissions = []
        indexes = [models.Index(fields=["user", "ended_at"], name="staffsession_user_open")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class Authenticator(Device):
    """A member of staff's authenticator app: the shared key (encrypted), and the last step whose code was used.

    At most one that is confirmed, and one that is being enrolled.
    """

    key = EncryptedTextField()  # hexadecimal, 20 bytes
    last_step = models.BigIntegerField(default=-1)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")
        default_permissions = []
        constraints = [models.UniqueConstraint(fields=["user", "confirmed"], name="authenticator_one_of_each_kind")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class RecoveryCode(models.Model):
    """The hash of a code that stands in for the second factor, once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=clock.now)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        default_permissions = []
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class PasswordHistory(models.Model):
    """The hash of a password somebody had before, so that it does not come back."""

    REMEMBERED = 10

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="former_passwords")
    password = models.CharField(max_length=128)
    replaced_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("former password")
        verbose_name_plural = _("former passwords")
        default_permissions = []

    def __str__(self) -> str:
        return f"#{self.pk}"
