"""After a backup was restored, before anybody is served."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from orderhub import jobs
from orderhub.housekeeping import restoring

LIMIT_S = 3600


class Command(BaseCommand):
    help = (
        "Make a restored backup fit to serve: erase all that is due by now, erase again what was asked for, have every "
        "open notice read at the marketplace before it is sent, end all sessions. Prints what it did."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--ledger", type=Path, help="the file of erasures that were asked for, if not its own place"
        )

    def handle(self, *, ledger: Path | None, **options):
        if ledger is not None and not ledger.is_file():
            raise CommandError(f"There is no file {ledger}.")
        try:
            figures = restoring.recover(budget_s=LIMIT_S, ledger=ledger)
        except jobs.Busy as busy:
            raise CommandError(f"An erasure is {busy}. Stop the workers, or run this again in two minutes.") from None
        except jobs.JobFailed as failure:
            raise CommandError(str(failure)) from None
        self.stdout.write(figures.sentence())
        if figures.held:
            raise CommandError("This installation's clock cannot be trusted: put it right, then run this again.")
        if not figures.complete:
            raise CommandError("Not all that is due is erased: the site stays closed. Run this again.")
        self.stdout.write("The site may be served.")
