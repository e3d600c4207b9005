"""The security log: what happened, who did it, to which ids, never a value. Only ever added to, and chained."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orderhub import clock
from orderhub.constraints import known_values


class EventCode(models.TextChoices):
    """Everything that is recorded; what is not in this list cannot be."""

    SIGNED_IN = "signed_in", _("signed in")
    SIGNED_OUT = "signed_out", _("signed out")
    SIGN_IN_FAILED = "sign_in_failed", _("sign-in failed")
    LOCKED = "locked", _("account locked")
    UNLOCKED = "unlocked", _("account unlocked")
    SECOND_FACTOR_ADDED = "second_factor_added", _("second factor enrolled")
    SECOND_FACTOR_REMOVED = "second_factor_removed", _("second factor removed")
    SECOND_FACTOR_FAILED = "second_factor_failed", _("second factor refused")
    RECOVERY_CODE_USED = "recovery_code_used", _("recovery code used")
    PASSWORD_CHANGED = "password_changed", _("password changed")  # noqa: S105
    SESSION_ENDED = "session_ended", _("session ended by the system")
    USER_CHANGED = "user_changed", _("user changed")
    ROLES_CHANGED = "roles_changed", _("roles changed")
    KEY_CHANGED = "key_changed", _("API key changed")
    KEY_REFUSED = "key_refused", _("API key refused")
    ACCESS_REVIEWED = "access_reviewed", _("access review signed")
    STORE_CONNECTED = "store_connected", _("store connected")
    STORE_REAUTHORISED = "store_reauthorised", _("account authorised anew")
    STORE_CHANGED = "store_changed", _("store settings changed")
    STORE_PURGED = "store_purged", _("store purged")
    FEATURE_GRANTED = "feature_granted", _("feature granted or withdrawn")
    PERSON_REVEALED = "person_revealed", _("personal data shown for a reason")
    PERSON_SEARCHED = "person_searched", _("search for a person")
    QUOTA_EXCEEDED = "quota_exceeded", _("unusually many views of personal data")
    EXPORTED = "exported", _("export")
    LABEL_OPENED = "label_opened", _("label opened")
    NOTICE_BY_HAND = "notice_by_hand", _("notice settled by hand")
    ERASED = "erased", _("erasure")
    ERASURE_ASKED = "erasure_asked", _("erasure asked for")
    ERASURE_DECIDED = "erasure_decided", _("erasure request decided")
    ERASURE_HELD = "erasure_held", _("erasure held: the clock cannot be trusted")
    ERASED_DATA_OFFERED = "erased_data_offered", _("erased data written again, and ignored")
    RETENTION_CHANGED = "retention_changed", _("periods or profile of erasure changed")
    RETIRED = "retired", _("old orders deleted or reduced")
    SETTINGS_CHANGED = "settings_changed", _("settings changed")
    KEYS_ROTATED = "keys_rotated", _("encryption keys rotated")
    KILLSWITCH = "killswitch", _("emergency stop")
    REFUSED = "refused", _("access refused")
    RESTORED = "restored", _("backup restored and swept")
    CHAIN_BROKEN = "chain_broken", _("security log altered")
    DUMPED = "dumped", _("anonymised copy made")


class Outcome(models.TextChoices):
    OK = "ok", pgettext_lazy("outcome of an event", "done")
    REFUSED = "refused", pgettext_lazy("outcome of an event", "refused")
    FAILED = "failed", pgettext_lazy("outcome of an event", "failed")


class NeverChanged(Exception):
    """Somebody tried to alter or delete a row of the security log."""


class SecurityEventQuerySet(models.QuerySet):
    """Adding and reading only. What seals and prunes goes through privacy.audit."""

    def update(self, **kwargs):
        raise NeverChanged("the security log is never changed")

    def delete(self):
        raise NeverChanged("the security log is never changed")


class SecurityEvent(models.Model):
    """One event. `position` and `digest` are given when it is sealed into the chain, right after its commit."""

    Code, Outcome = EventCode, Outcome

    at = models.DateTimeField(_("at"), default=clock.now)
    code = models.CharField(_("event"), max_length=30, choices=EventCode.choices)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.OK)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name=_("user"), related_name="+"
    )
    actor = models.CharField(_("actor"), max_length=60, blank=True)  # a job, a command or an API key, where no user
    roles = models.CharField(_("roles"), max_length=200, blank=True)
    kind = models.CharField(_("about"), max_length=30, blank=True)
    ids = models.JSONField(_("ids"), default=list, blank=True)
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    request_id = models.CharField(_("request"), max_length=32, blank=True)
    position = models.BigIntegerField(null=True, editable=False, unique=True)
    digest = models.CharField(max_length=64, blank=True, editable=False)

    objects = SecurityEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("security event")
        verbose_name_plural = _("security log")
        ordering = ["-pk"]
        default_permissions = ["view"]
        permissions = [("use_killswitch", _("Can use the emergency stop"))]
        constraints = [
            known_values("code", EventCode, "securityevent_code_known"),
            known_values("outcome", Outcome, "securityevent_outcome_known"),
            models.CheckConstraint(
                condition=Q(position__isnull=True, digest="") | (Q(position__isnull=False) & ~Q(digest="")),
                name="securityevent_sealed_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["code", "-at"], name="securityevent_code_at"),
            models.Index(fields=["user", "-at"], name="securityevent_user_at"),
            models.Index(fields=["id"], name="securityevent_unsealed", condition=Q(position__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.at:%Y-%m-%d %H:%M:%S}Z"

    def save(self, *args, **kwargs):  # not a flow of ours: a lock on the door
        if not self._state.adding:
            raise NeverChanged("the security log is never changed")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise NeverChanged("the security log is never changed")


class SecurityChain(models.Model):
    """One row: the chain's head, and what its oldest kept event is checked against."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    position = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    pruned_to = models.BigIntegerField(default=0)
    pruned_digest = models.CharField(max_length=64, blank=True)
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True)
    broken_at = models.BigIntegerField(_("first altered event"), null=True, blank=True)

    class Meta:
        verbose_name = _("chain of the security log")
        verbose_name_plural = _("chain of the security log")
        default_permissions = []
        constraints = [models.CheckConstraint(condition=Q(id=1), name="security_chain_is_one_row")]

    def __str__(self) -> str:
        return str(self.position)
