"""Keys of API clients, how often each is used, and what it asked for once already.

`stores` lie above this module: a key names them by plain ids. Nothing here can be turned back into a secret.
"""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.constraints import known_values
from orderhub.models.staff import User

LONGEST = timedelta(days=365)
PACIFIC = "America/Los_Angeles"  # what an instant without a zone means to clients of ShipStation


class ApiKeyQuerySet(models.QuerySet):
    def usable(self, *, now: datetime):
        """Keys that open anything: not revoked, not over, and of somebody who still works here."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=now, owner__is_active=True)


class ApiKey(models.Model):
    """One key of one client. `user` is the account it acts under: whatever the client does stands under its name.

    `scopes`: codes of orderhub.rest.scopes. `store_ids`: the stores it sees; of others it knows nothing. `networks`:
    from where it may be used, as 10.0.0.0/8; empty: from anywhere. `naive_zone`: of instants without an offset.
    """

    name = models.CharField(_("client"), max_length=60, unique=True)
    prefix = models.CharField(_("key"), max_length=8, unique=True, editable=False)
    secret_hash = models.CharField(max_length=128, editable=False)
    user = models.OneToOneField(User, models.PROTECT, related_name="api_key", editable=False)
    owner = models.ForeignKey(User, models.PROTECT, verbose_name=_("responsible"), related_name="owned_keys")
    scopes = models.JSONField(_("scopes"), default=list)
    store_ids = models.JSONField(_("stores"), default=list)
    networks = models.JSONField(_("networks"), default=list, blank=True)
    naive_zone = models.CharField(_("time zone of instants without one"), max_length=40, default=PACIFIC)
    rate_per_minute = models.PositiveIntegerField(_("requests a minute"), default=120)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"))
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)
    revoked_because = models.CharField(_("revoked because"), max_length=20, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__lte=F("created_at") + LONGEST), name="apikey_a_year_at_most"
            ),
            models.CheckConstraint(condition=Q(rate_per_minute__gte=1, rate_per_minute__lte=6000), name="apikey_rate"),
        ]

    def __str__(self) -> str:
        return self.name

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def is_usable(self, *, now: datetime) -> bool:
        """As ApiKeyQuerySet.usable; needs `owner` loaded to cost no query."""
        return self.revoked_at is None and self.expires_at > now and self.owner.is_active


class RateWindow(models.Model):
    """How often something was done in the minute that began at `started_at`. `name`: "key:12", "address:192.0.2.1"."""

    name = models.CharField(_("name"), max_length=80, primary_key=True)
    started_at = models.DateTimeField(_("started at"))
    used = models.PositiveIntegerField(_("used"), default=0)

    class Meta:
        verbose_name = _("rate window")
        verbose_name_plural = _("rate windows")

    def __str__(self) -> str:
        return f"#{self.pk}"


class UseKind(models.TextChoices):
    """What is counted of a client's use."""

    ENDPOINT = "endpoint", _("endpoint")
    ALIAS = "alias", _("other name of an endpoint")
    UNKNOWN_FIELD = "unknown_field", _("field that is not known here")
    UNKNOWN_PATH = "unknown_path", _("address that is not known here")
    REFUSED = "refused", _("refused")
    THROTTLED = "throttled", _("too many requests")
    TIME_ZONE = "time_zone", _("way of writing instants")


class ApiUse(models.Model):
    """How often a key did one kind of thing. `name`: a code or a name out of the request's form, never a value of it."""

    Kind = UseKind

    key = models.ForeignKey(ApiKey, models.CASCADE, verbose_name=_("API key"), related_name="uses")
    surface = models.CharField(_("API"), max_length=12)
    kind = models.CharField(_("kind"), max_length=16, choices=UseKind.choices)
    name = models.CharField(_("name"), max_length=120)
    count = models.PositiveBigIntegerField(_("count"), default=0)
    first_at = models.DateTimeField(_("first at"))
    last_at = models.DateTimeField(_("last at"))

    class Meta:
        verbose_name = _("use of an API key")
        verbose_name_plural = _("uses of API keys")
        ordering = ["surface", "kind", "-count", "name"]
        constraints = [
            models.UniqueConstraint(fields=["key", "surface", "kind", "name"], name="apiuse_once"),
            known_values("kind", UseKind, "apiuse_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def surface_name(self) -> str:
        """Which API it was, as people call it."""
        return {"native": "OrderHub", "shipstation": "ShipStation v1"}.get(self.surface, self.surface)


class IdempotentRequest(models.Model):
    """A creating request of one key, and which row it made: a repetition shows that row as it is by then.

    Hashes only: what the client chose as Idempotency-Key or sent as body cannot be read back.
    """

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="+")
    value_hash = models.CharField(max_length=64)
    route = models.CharField(max_length=120)
    body_hash = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)
    status = models.PositiveSmallIntegerField(null=True)  # null: still at work
    object_ids = models.JSONField(default=list)

    class Meta:
        verbose_name = _("idempotent request")
        verbose_name_plural = _("idempotent requests")
        constraints = [models.UniqueConstraint(fields=["key", "value_hash"], name="idempotency_once_per_key")]
        indexes = [models.Index(fields=["at"], name="idempotency_at")]

    def __str__(self) -> str:
        return f"#{self.pk}"
