"""Accounts: one selling partner in one region each, with what is counted and kept for all its stores."""

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.constraints import known_values
from orderhub.jobs import CLOCK_SLACK
from privacy.fields import EncryptedTextField
from stores import marketplaces

LONGEST_WAIT = timedelta(hours=2)  # between two polls, beyond what the setting asks for
AUTHORIZATION_DAYS = 365  # Amazon asks sellers to authorise again every year
TIME_HOLDS = timedelta(hours=24)  # how long what Amazon's answers said of our clock is worth anything


class Merchant(models.Model):
    """The client company. Nothing is matched or summed across merchants."""

    name = models.CharField(_("name"), max_length=120)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("merchant")
        verbose_name_plural = _("merchants")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="merchant_name_once",
                violation_error_message=_("A merchant of this name exists already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class AccountStatus(models.TextChoices):
    """Whether an account may be called."""

    PENDING = "pending", _("to be verified")
    ACTIVE = "active", _("active")
    EXPIRED = "expired", _("authorisation expired")
    REVOKED = "revoked", _("authorisation refused")
    PAUSED = "paused", _("paused")


class AmazonAccountQuerySet(models.QuerySet):
    def working(self):
        """Accounts whose authorisation stands, as far as we know."""
        return self.filter(status=AmazonAccount.Status.ACTIVE)

    def due(self, now: datetime):
        """Accounts to poll now. One whose year is over is due too: its job stops it and says why.

        So is one to be polled later than we ever wait: our clock was ahead when that was written.
        """
        longest = now + LONGEST_WAIT + timedelta(minutes=settings.IMPORT_POLL_MINUTES)
        return (
            self.working()
            .filter(Q(next_poll_at__isnull=True) | Q(next_poll_at__lte=now) | Q(next_poll_at__gt=longest))
            .order_by(F("next_poll_at").asc(nulls_first=True))
        )

    def poll_now(self, now: datetime) -> int:
        """Make working accounts due, as somebody does not want to wait; returns how many. Amazon's limits still hold."""
        return self.working().update(next_poll_at=now)

    def clock_ahead_s(self, now: datetime) -> int | None:
        """Seconds our clock was ahead of Amazon's at the freshest poll; None where no poll says anything of it now.

        A poll that lies in the future was made before our clock was set back: it speaks of another clock.
        """
        heard = self.filter(last_poll_at__range=(now - TIME_HOLDS, now + CLOCK_SLACK))
        return heard.order_by("-last_poll_at").values_list("clock_skew_s", flat=True).first()


class CredentialKind(models.TextChoices):
    """How the seller authorised us."""

    TOKEN = "token", _("authorisation token")
    SIGN_IN = "sign_in", _("sign-in with Amazon")


class AmazonAccount(models.Model):
    """One selling partner in one region: credentials, authorisation, cursor. Its stores share all of them."""

    Status = AccountStatus
    CredentialKind = CredentialKind

    class Kind(models.TextChoices):
        UNIFIED = "unified", _("unified")
        STANDALONE = "standalone", _("stand-alone")

    class Plan(models.TextChoices):
        PROFESSIONAL = "professional", _("Professional")
        INDIVIDUAL = "individual", _("Individual")
        DECLARED = "declared", _("Professional, as declared")

    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="accounts")
    region = models.CharField(_("region"), max_length=2, choices=marketplaces.REGION_CHOICES)
    selling_partner_id = models.CharField(_("seller ID"), max_length=40)
    account_type = models.CharField(_("account type"), max_length=12, choices=Kind.choices, default=Kind.STANDALONE)
    country = models.CharField(_("country tile"), max_length=2, choices=marketplaces.CODE_CHOICES, blank=True)
    credential_kind = models.CharField(
        _("authorised by"), max_length=8, choices=CredentialKind.choices, default=CredentialKind.TOKEN
    )
    seller_plan = models.CharField(_("selling plan"), max_length=12, choices=Plan.choices, default=Plan.DECLARED)
    refresh_token = EncryptedTextField(_("authorisation token"))
    authorized_at = models.DateTimeField(_("authorised at"), default=clock.now)
    authorization_expires_at = models.DateTimeField(_("authorisation expires at"))
    warned_days = models.PositiveSmallIntegerField(
        _("last warned with this many days left"), null=True, blank=True, editable=False
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PENDING)
    status_reason = models.CharField(_("reason"), max_length=300, blank=True)
    verified_at = models.DateTimeField(_("verified at"), null=True, blank=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("verified by"),
        related_name="+",
    )
    participations = models.JSONField(_("marketplaces as verified"), default=list, blank=True)
    has_pii_role = models.BooleanField(_("Amazon sends personal data"), default=True)
    imported_until = models.DateTimeField(_("imported until"), null=True, blank=True)
    window_after = models.DateTimeField(_("window being read: from"), null=True, blank=True)
    window_bound = models.DateTimeField(_("window being read: to"), null=True, blank=True)
    page_token = models.TextField(_("next page"), blank=True)
    last_poll_at = models.DateTimeField(_("last poll at"), null=True, blank=True)
    next_poll_at = models.DateTimeField(_("next poll at"), null=True, blank=True)
    epoch = models.PositiveIntegerField(_("times re-opened"), default=0, editable=False)
    clock_skew_s = models.IntegerField(_("our clock ahead of Amazon's (s)"), default=0)

    objects = AmazonAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("Amazon account")
        verbose_name_plural = _("Amazon accounts")
        constraints = [
            models.UniqueConstraint(fields=["region", "selling_partner_id"], name="account_once_per_region"),
            models.CheckConstraint(
                condition=Q(status="pending") | Q(verified_at__isnull=False),
                name="account_verified_before_use",
            ),
            models.CheckConstraint(
                condition=~(Q(status="active") & Q(seller_plan="individual")),
                name="account_active_is_professional",
            ),
            models.CheckConstraint(
                condition=~Q(status="active") | Q(imported_until__isnull=False), name="account_active_has_cursor"
            ),
            known_values("status", AccountStatus, "account_status_known"),
            known_values("credential_kind", CredentialKind, "account_credential_kind_known"),
            models.CheckConstraint(condition=Q(status="pending") | ~Q(refresh_token=""), name="account_has_token"),
            models.CheckConstraint(condition=Q(region__in=marketplaces.REGIONS), name="account_region_known"),
        ]

    def __str__(self) -> str:
        return f"{self.selling_partner_id} ({self.region})"

    @property
    def fingerprint(self) -> str:
        """Tells two tokens apart on a screen; nothing of the token can be read from it."""
        return hashlib.sha256(self.refresh_token.encode()).hexdigest()[:8]

    def authorise(self, token: str, *, now: datetime) -> None:
        """Take a new token and start the year again. Not saved here. Identity, orders and cursor stay."""
        self.refresh_token = token
        self.authorized_at = now
        self.authorization_expires_at = now + timedelta(days=AUTHORIZATION_DAYS)
        self.warned_days = None

    def days_left(self, now: datetime) -> int:
        """Whole days the authorisation still has; negative once it is over."""
        return (self.authorization_expires_at - now).days

    def stop(self, status: str, reason: str) -> None:
        """Stop importing and notifying until a person acts; loses nothing. Safe to repeat.

        Nothing happens if the account was re-opened since this row was read: the refusal was for what it had before.
        """
        same = AmazonAccount.objects.filter(pk=self.pk, epoch=self.epoch)
        if same.update(status=status, status_reason=reason[:300]):
            self.status, self.status_reason = status, reason[:300]


class RateBucket(models.Model):
    """Our copy of one of Amazon's token buckets: per account and operation, shared by every process."""

    account = models.ForeignKey(AmazonAccount, models.CASCADE, verbose_name=_("account"), related_name="buckets")
    operation = models.CharField(_("operation"), max_length=40)
    tokens = models.FloatField(_("tokens"))
    rate = models.FloatField(_("tokens per second"))
    burst = models.FloatField(_("bucket size"))
    updated_at = models.DateTimeField(_("updated at"))
    blocked_until = models.DateTimeField(_("closed until"), null=True, blank=True)
    throttled = models.PositiveIntegerField(_("refusals in a row"), default=0)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("rate bucket")
        verbose_name_plural = _("rate buckets")
        constraints = [
            models.UniqueConstraint(fields=["account", "operation"], name="bucket_once_per_operation"),
            models.CheckConstraint(condition=Q(tokens__gte=0) & Q(tokens__lte=F("burst")), name="bucket_within_burst"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="bucket_refills"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.account_id}"


class UnconnectedOrder(models.Model):
    """An order of a source nobody connected: its number and marketplace, so that counts are true."""

    account = models.ForeignKey(AmazonAccount, models.CASCADE, verbose_name=_("account"), related_name="unconnected")
    marketplace_id = models.CharField(_("marketplace"), max_length=20)
    order_number = models.CharField(_("order number"), max_length=60)
    seen_at = models.DateTimeField(_("seen at"), default=clock.now)

    class Meta:
        verbose_name = _("order of an unconnected source")
        verbose_name_plural = _("orders of unconnected sources")
        constraints = [models.UniqueConstraint(fields=["account", "order_number"], name="unconnected_once")]

    def __str__(self) -> str:
        return self.order_number


class AuthorizationAttempt(models.Model):
    """A seller sent to Amazon to sign in: what must come back, to whom, and until when. It counts once."""

    state_hash = models.CharField(_("state (hashed)"), max_length=64, unique=True)
    session_hash = models.CharField(_("session (hashed)"), max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), related_name="+")
    region = models.CharField(_("region"), max_length=2, choices=marketplaces.REGION_CHOICES)
    account = models.ForeignKey(
        AmazonAccount,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("account to renew"),
        related_name="attempts",
    )
    draft_key = models.CharField(_("draft it belongs to"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("created at"), default=clock.now)
    expires_at = models.DateTimeField(_("valid until"))
    used_at = models.DateTimeField(_("came back at"), null=True, blank=True)

    class Meta:
        verbose_name = _("authorisation attempt")
        verbose_name_plural = _("authorisation attempts")
        constraints = [
            models.CheckConstraint(
                condition=Q(account__isnull=False, draft_key="") | (Q(account__isnull=True) & ~Q(draft_key="")),
                name="attempt_renews_or_connects",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="attempt_expires")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ConnectionDraft(models.Model):
    """What the steps of connecting have gathered so far, sealed, for one session. Gone when used, or after half an hour.

    A row of its own: two tabs that write to one session at once would lose each other's.
    """

    key_hash = models.CharField(_("key (hashed)"), max_length=64, unique=True)
    session_hash = models.CharField(_("session (hashed)"), max_length=64)
    sealed = models.TextField(_("content, encrypted"))
    valid_until = models.DateTimeField(_("valid until"))

    class Meta:
        verbose_name = _("connection in the making")
        verbose_name_plural = _("connections in the making")
        indexes = [models.Index(fields=["valid_until"], name="draft_valid_until")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ClientSecretSeen(models.Model):
    """When we first saw the application's client secret (its fingerprint only): Amazon wants a new one in 180 days."""

    fingerprint = models.CharField(_("fingerprint"), max_length=64, unique=True)
    first_seen_at = models.DateTimeField(_("first seen at"), default=clock.now)
    warned_days = models.PositiveSmallIntegerField(_("last warned at this age in days"), null=True, blank=True)

    class Meta:
        verbose_name = _("client secret")
        verbose_name_plural = _("client secrets")

    def __str__(self) -> str:
        return self.fingerprint[:8]


class DigestReceipt(models.Model):
    """Who was mailed one digest already, so that a round that broke off goes on with those left out."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), related_name="+")
    digest = models.CharField(_("digest"), max_length=64)
    sent_at = models.DateTimeField(_("sent at"), default=clock.now)

    class Meta:
        verbose_name = _("receipt of a digest")
        verbose_name_plural = _("receipts of digests")
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="digest_once_per_user")]

    def __str__(self) -> str:
        return f"#{self.pk}"
