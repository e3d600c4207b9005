"""Making a restored backup fit to serve: erased up to now, nothing sent unread, nobody signed in."""

import importlib
import importlib.util
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.contrib.sessions.models import Session

from orderhub import clock, jobs
from privacy import registry, restored, sweeping
from privacy.jobs import redact_due
from shipments import rereading
from stores import outsidetime

LEDGER = "privacy.requests"  # replays the erasures that people asked for, which no due date repeats


@dataclass
class Figures:
    """What a recovery did. `left`: orders overdue that anybody can still see; `masked`: begun, and not erased yet."""

    erased: int = 0
    documents: int = 0
    replayed: int = 0
    notices: int = 0
    feeds: int = 0
    mails: int = 0
    sessions: int = 0
    left: int = 0
    masked: int = 0
    seconds: int = 0
    held: str = ""
    failed: list[int] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not (self.left or self.held)

    def sentence(self) -> str:
        told = (
            f"{self.erased} erased, {self.documents} documents, {self.replayed} replayed, {self.notices} notices to be "
            f"read first, {self.feeds} submissions and {self.mails} mails given up, {self.sessions} sessions ended, "
            f"{self.masked} masked and tried again, {self.left} left, {self.seconds} s"
        )
        return told + (f"; held: {self.held}" if self.held else "")


def recover(*, budget_s: float, ledger: Path | None = None) -> Figures:
    """Bring a restored database up to now and open the site, if the budget (seconds) is enough. Safe to repeat.

    `ledger`: the file of erasures that were asked for. An order that cannot be erased, but is masked, keeps nothing
    closed. Raises jobs.Busy while another process sweeps, jobs.JobFailed where the sweep fails.
    """
    began, figures = time.monotonic(), Figures()
    newest = restored.newest_sign_of_life()
    moved = rereading.doubt_everything(now=clock.now(), newest=newest)
    figures.notices, figures.feeds, figures.mails = moved["notices"], moved["feeds"], moved["mails"]
    figures.sessions = Session.objects.all().delete()[0]
    figures.replayed = _replay(ledger)
    outsidetime.hear(now=clock.now())
    _sweep_to_zero(figures, ends_at=began + budget_s)
    now = clock.now()
    figures.left = registry.subjects().late(now=now, unmasked=True).count()
    figures.masked = len(registry.subjects().begun())
    figures.seconds = round(time.monotonic() - began)
    if figures.complete:
        restored.reopen(figures=[figures.erased, figures.documents, figures.replayed, figures.notices])
    return figures


def _sweep_to_zero(figures: Figures, *, ends_at: float) -> None:
    """Round by round, each under the job's lease and no longer than the job's own."""
    more = True
    while more and time.monotonic() < ends_at:
        reports = []
        budget_s = min(jobs.BUDGET_S, ends_at - time.monotonic())

        def work(budget_s: float = budget_s, reports: list = reports) -> str:
            reports.append(sweeping.sweep(budget_s=budget_s))
            return reports[0].sentence()

        jobs.under_lease(redact_due.job_name, work)
        report = reports[0]
        figures.erased += report.redacted
        figures.documents += report.documents
        figures.failed, figures.held, more = report.failed, report.held, report.more


def _replay(ledger: Path | None) -> int:
    """Erase again what people had asked for; the ledger's usual place where none is named. 0 where none is kept."""
    if importlib.util.find_spec(LEDGER) is None:
        return 0
    replay = getattr(importlib.import_module(LEDGER), "replay", None)
    return replay(ledger, now=clock.now()).redacted if replay is not None else 0
