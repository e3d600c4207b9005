"""Our own record of what the jobs did, and who runs one right now."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from orderhub import clock
from orderhub.jobs import CLOCK_SLACK, POISON_PAUSE


class JobRunQuerySet(models.QuerySet):
    def close_unfinished(self, job: str, *, now, outcome: str) -> int:
        """Give an end to runs that were killed before they could write one; only the lease's holder may say so."""
        return self.filter(job=job, finished_at__isnull=True).update(finished_at=now, ok=False, outcome=outcome)


class JobRun(models.Model):
    """One run of one job. Texts hold counts, ids and error names, never values of an order."""

    job = models.CharField(_("job"), max_length=120)
    started_at = models.DateTimeField(_("started at"), default=clock.now)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    ok = models.BooleanField(_("succeeded"), null=True)
    outcome = models.CharField(_("outcome"), max_length=300, blank=True)
    error_id = models.CharField(_("error id"), max_length=12, blank=True)

    objects = JobRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("job run")
        verbose_name_plural = _("job runs")
        indexes = [models.Index(fields=["job", "-started_at"], name="jobrun_job_started")]

    def __str__(self) -> str:
        return f"{self.job} {self.started_at:%Y-%m-%d %H:%M:%S}Z"


class JobLeaseQuerySet(models.QuerySet):
    def take(self, job: str, holder: str, *, now, until) -> bool:
        """Whether `holder` now has the lease. One UPDATE decides between workers; an expired lease is free.

        So is one that ends clearly later than if it began now: it was taken before the clock went back. Clearly,
        because of two workers that try at once the loser's `now` may be the earlier one. A pause is a lease without a
        holder and has a length of its own.

        `starts` counts runs that began and never ended, so that a job which kills its worker is noticed.
        """
        self.bulk_create([JobLease(job=job)], ignore_conflicts=True)
        over = Q(expires_at__isnull=True) | Q(expires_at__lte=now)
        lease = Q(expires_at__gt=until + CLOCK_SLACK) & ~Q(holder="")
        pause = Q(expires_at__gt=now + POISON_PAUSE + CLOCK_SLACK)
        free = self.filter(over | lease | pause, job=job)
        return bool(free.update(holder=holder, expires_at=until, starts=F("starts") + 1))

    def starts_of(self, job: str) -> int:
        return self.values_list("starts", flat=True).get(job=job)

    def pause(self, job: str, holder: str, *, until, starts: int) -> None:
        """Turn the holder's lease into a pause, which nobody holds."""
        self.filter(job=job, holder=holder).update(expires_at=until, holder="", starts=starts)

    def release(self, job: str, holder: str, *, ended: bool = True) -> None:
        """Give the lease back, and forget unfinished starts if the run ended by itself.

        Nothing happens if another holder took over.
        """
        mine = self.filter(job=job, holder=holder)
        if ended:
            mine.update(expires_at=None, holder="", starts=0)
        else:
            mine.update(expires_at=None, holder="")


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
