"""Bring everything that is encrypted under the newest master key."""

from django.core.management.base import BaseCommand

from privacy import audit, keys, rotating
from privacy.models.event import EventCode


class Command(BaseCommand):
    help = (
        "After a new key was put first: wrap every data key with it, and encrypt secrets anew. The site may run on "
        "meanwhile. A run that was killed is taken up by the next."
    )

    def handle(self, **options):
        done = rotating.rotate()
        audit.record(EventCode.KEYS_ROTATED, actor="rotate_keys", reason=f"to {keys.newest()}")
        self.stdout.write(
            f"{done.keys} data keys and {done.secrets} secrets are now under key {keys.newest()}; "
            f"{done.records} records were encrypted that were not; {rotating.left()} keys left under older ones."
        )
