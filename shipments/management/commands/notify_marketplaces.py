"""Send what is due to the marketplaces now, in this process."""

from django.core.management.base import BaseCommand, CommandError

from orderhub import jobs
from shipments.jobs import notify_account
from stores.models import AmazonAccount


class Command(BaseCommand):
    help = "Settle and send the due notices of every active account, now and without the queue."

    def handle(self, **options):
        failed = 0
        for pk in AmazonAccount.objects.working().order_by("pk").values_list("pk", flat=True):
            try:
                with jobs.inline():
                    self.stdout.write(jobs.run(notify_account.job_name, pk))
            except jobs.JobFailed as error:
                self.stderr.write(str(error))
                failed += 1
        if failed:
            raise CommandError(f"{failed} account(s) failed: look the error ids up in the job runs")
