"""Send what is due to the marketplaces now, in this process."""

from django.core.management.base import BaseCommand, CommandError

from orderhub import jobs
from shipments.jobs import mirror_shop, notify_account
from stores.models import AmazonAccount, BigCommerceCredentials


class Command(BaseCommand):
    help = "Settle and send the due notices of every active account and BigCommerce store, now and without the queue."

    def handle(self, **options):
        accounts = AmazonAccount.objects.working().order_by("pk").values_list("pk", flat=True)
        active = BigCommerceCredentials.objects.filter(status=BigCommerceCredentials.Status.ACTIVE)
        shops = active.order_by("store").values_list("store", flat=True)
        failed = sum(not self._run(notify_account, pk) for pk in accounts)
        failed += sum(not self._run(mirror_shop, pk) for pk in shops)  # after Amazon
        if failed:
            raise CommandError(f"{failed} account(s) or store(s) failed: look the error ids up in the job runs")

    def _run(self, job, pk: int) -> bool:
        try:
            with jobs.inline():
                self.stdout.write(jobs.run(job.job_name, pk))
        except jobs.JobFailed as error:
            self.stderr.write(str(error))
            return False
        return True
