"""Import changed orders now, in this process."""

from django.core.management.base import BaseCommand

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
        for pk in chosen.order_by("pk").values_list("pk", flat=True):
            with jobs.inline():
                self.stdout.write(jobs.run(import_account.job_name, pk))
