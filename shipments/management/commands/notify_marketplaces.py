"""Send what is due to the marketplaces now, in this process."""

from django.core.management.base import BaseCommand

from orderhub import jobs
from shipments.jobs import notify_account
from stores.models import AmazonAccount


class Command(BaseCommand):
    help = "Settle and send the due notices of every active account, now and without the queue."

    def handle(self, **options):
        for pk in AmazonAccount.objects.working().order_by("pk").values_list("pk", flat=True):
            with jobs.inline():
                self.stdout.write(jobs.run(notify_account.job_name, pk))
