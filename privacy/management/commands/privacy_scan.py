"""Search for what erasures left behind, and prove that the search finds what is hidden."""

from django.core.management.base import BaseCommand, CommandError

from orderhub import clock
from privacy import scanning
from privacy.scanner import encodings, self_test
from privacy.scanner.selftest import SAMPLES, pairs

MOST_SHOWN = 200


class Command(BaseCommand):
    help = (
        "Search this installation for personal data that should be gone: columns and documents of erased orders, files "
        "without a row, and values of orders due within a day in all places that no erasure reaches. Prints places and "
        "order ids, never values. Ends with 1 where anything is found."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--self-test", action="store_true", help="plant values in every known way of hiding; all must be found"
        )
        parser.add_argument("--seconds", type=float, help="stop after so many seconds; default: look at everything")

    def handle(self, *, self_test: bool, seconds: float | None, **options):
        if self_test:
            self._test_itself()
            return
        result = scanning.run(now=clock.now(), budget_s=seconds)
        for finding in result.findings[:MOST_SHOWN]:
            order = f"order id {finding.order_id}" if finding.order_id else "no order known"
            self.stdout.write(f"{finding.kind:<9} {finding.place}  {order}  {' > '.join(finding.path) or 'plain'}")
        if result.found > MOST_SHOWN:
            self.stdout.write(f"… and {result.found - MOST_SHOWN} more")
        self.stdout.write(result.sentence())
        if result.found:
            raise CommandError(
                f"{result.found} places hold personal data that should be gone. Do not send values by mail: "
                "note place and order id, tell the privacy officer, and erase them."
            )

    def _test_itself(self) -> None:
        missed = self_test()
        ways, both = len(encodings()), len(pairs())
        self.stdout.write(
            f"{ways} ways of hiding with {len(SAMPLES)} texts each, {both} pairs of them: {ways + both - len(missed)} of "
            f"{ways + both} found"
        )
        if missed:
            raise CommandError(f"not found: {'; '.join(missed[:20])}")
