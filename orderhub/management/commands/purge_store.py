"""At a seller's, or Amazon's, wish: everything of that seller goes."""

from django.core.management.base import BaseCommand, CommandError

from orderhub import clock, jobs
from orderhub.management import purging
from privacy import audit
from privacy.jobs import redact_due
from privacy.models import SecurityChain
from privacy.models.event import EventCode
from stores.models import AmazonAccount


class Command(BaseCommand):
    help = (
        "Remove all that Amazon sent of one seller: orders, persons, customers, shipments, labels, notices, products. "
        "Certificates and the security log stay. Can be run again where it was stopped. Prints a certificate."
    )

    def add_arguments(self, parser):
        parser.add_argument("seller", help="the seller ID (selling partner)")
        parser.add_argument("--region", required=True, choices=["NA", "EU", "FE"])
        parser.add_argument("--dry-run", action="store_true", help="count what would go, remove nothing")
        parser.add_argument("--yes", action="store_true", help="remove it; there is no way back")

    def handle(self, *, seller: str, region: str, dry_run: bool, yes: bool, **options):
        account = AmazonAccount.objects.filter(region=region, selling_partner_id=seller).first()
        if account is None:
            raise CommandError(f"There is no account {seller} in {region}.")
        before = purging.counted(account)
        if dry_run or not yes:
            self._tell(before)
            self.stdout.write("Nothing was removed. Add --yes to remove it for good.")
            return
        self._purge(account, before)

    def _purge(self, account: AmazonAccount, before) -> None:
        done: dict = {}

        def work() -> str:
            done["erased"] = purging.erase(account, now=clock.now())
            done["gone"] = purging.remove(account)
            return f"account {account.pk} purged: {sum(done['gone'].values())} rows"

        purging.stop(account)
        try:
            jobs.under_lease(redact_due.job_name, work)  # beside no other erasure
        except jobs.Busy as busy:
            raise CommandError(f"An erasure is {busy}: run this again in two minutes.") from None
        except jobs.JobFailed as failure:
            raise CommandError(f"{failure}. What is not removed yet is kept masked or whole: run this again.") from None
        audit.record(EventCode.STORE_PURGED, actor="purge_store", kind="account", ids=[account.pk])
        audit.seal()
        self._certify(account, before, done)

    def _certify(self, account: AmazonAccount, before, done: dict) -> None:
        head = SecurityChain.objects.get()
        self.stdout.write("CERTIFICATE OF REMOVAL")
        self.stdout.write(f"account {account}, stores {[store.pk for store in account.stores.order_by('pk')]}")
        self.stdout.write(f"done {clock.now():%Y-%m-%d %H:%M:%S}Z")
        self.stdout.write(f"orders erased just before: {done['erased']}")
        self._tell(before)
        for table, rows in sorted(done["gone"].items()):
            self.stdout.write(f"  {table:<34}{rows:>8} rows removed")
        self.stdout.write(f"security log: event {head.position}, {head.digest}")

    def _tell(self, counts) -> None:
        for name, count in sorted(counts.items()):
            self.stdout.write(f"  {name:<34}{count:>8}")
