"""Import changed orders now, in this process."""

from django.core.management.base import BaseCommand, CommandError

from orderhub import jobs
from orders.jobs import import_account
from stores.models import AmazonAccount


class Command(BaseCommand):
    help = "Import the changed orders of one account, or of every active one, now and without the queue."

    def add_arguments(self, parser):
        parser.add_argument("--account", type=int, help="account id; default: every active account")

    def handle(self, *, account: int | None, **options):
        chosen = AmazonAccount.objects.working()
        if account is not None:
            chosen = AmazonAccount.objects.filter(pk=account)
        failed = 0
        for pk in chosen.order_by("pk").values_list("pk", flat=True):
            try:
                with jobs.inline():
                    self.stdout.write(jobs.run(import_account.job_name, pk))
            except jobs.JobFailed as error:
                self.stderr.write(str(error))
                failed += 1
        if failed:
            raise CommandError(f"{failed} account(s) failed: look the error ids up in the job runs")
