"""Staff users, and our own record of what the jobs did."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock


class User(AbstractUser):
    """A member of staff. Never a buyer."""

    language = models.CharField(
        _("language"), max_length=5, choices=[("fr", "Français"), ("en", "English")], default="fr"
    )
    password_changed_at = models.DateTimeField(_("password changed at"), default=clock.now)

    class Meta(AbstractUser.Meta):
        verbose_name = _("user")
        verbose_name_plural = _("users")


class JobRun(models.Model):
    """One run of one job. Texts hold counts, ids and error names, never values of an order."""

    job = models.CharField(_("job"), max_length=120)
    started_at = models.DateTimeField(_("started at"), default=clock.now)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    ok = models.BooleanField(_("succeeded"), null=True)
    outcome = models.CharField(_("outcome"), max_length=300, blank=True)
    error_id = models.CharField(_("error id"), max_length=12, blank=True)

    class Meta:
        verbose_name = _("job run")
        verbose_name_plural = _("job runs")
        indexes = [models.Index(fields=["job", "-started_at"], name="jobrun_job_started")]

    def __str__(self) -> str:
        return f"{self.job} {self.started_at:%Y-%m-%d %H:%M:%S}Z"


class JobLeaseQuerySet(models.QuerySet):
    def take(self, job: str, holder: str, *, now, until) -> bool:
        """Whether `holder` now has the lease. One UPDATE decides between workers; an expired lease is free.

        `starts` counts runs that began and never ended, so that a job which kills its worker is noticed.
        """
        self.bulk_create([JobLease(job=job)], ignore_conflicts=True)
        free = self.filter(Q(expires_at__isnull=True) | Q(expires_at__lte=now), job=job)
        return bool(free.update(holder=holder, expires_at=until, starts=F("starts") + 1))

    def release(self, job: str, holder: str) -> None:
        """Give the lease back and forget unfinished starts. Nothing happens if another holder took over."""
        self.filter(job=job, holder=holder).update(expires_at=None, holder="", starts=0)


class JobLease(models.Model):
    """Who runs a job right now. Keeps two workers, or two deliveries of one task, apart."""

    job = models.CharField(_("job"), max_length=120, primary_key=True)
    holder = models.CharField(_("holder"), max_length=64, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    starts = models.PositiveIntegerField(_("starts without an end"), default=0)

    objects = JobLeaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("job lease")
        verbose_name_plural = _("job leases")

    def __str__(self) -> str:
        return self.job
