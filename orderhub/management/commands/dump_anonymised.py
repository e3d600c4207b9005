"""The one way in which a copy of the data may leave an installation."""

import os
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from orderhub.management import anonymising
from privacy import audit
from privacy.models.event import EventCode


class Command(BaseCommand):
    help = (
        "Write a copy without persons, secrets and names of staff, as lines of JSON for `manage.py loaddata`. The only "
        "copy of a production database that may be used elsewhere. Files (labels, pictures) are not part of it."
    )

    def add_arguments(self, parser):
        parser.add_argument("path", type=Path, help="a new file, ending in .jsonl")

    def handle(self, *, path: Path, **options):
        if path.suffix != ".jsonl":
            raise CommandError("Name a new file that ends in .jsonl.")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise CommandError(f"{path} exists already: name a new file.") from None
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
        count = 0
        try:
            with open(handle, "w", encoding="utf-8") as file:
                for line in anonymising.rows():
                    file.write(line.rstrip("\n") + "\n")
                    count += 1
        except BaseException:
            path.unlink(missing_ok=True)  # half a copy is nobody's
            raise
        audit.record(EventCode.DUMPED, actor="dump_anonymised", kind="rows", ids=[count])
        self.stdout.write(f"{count} rows written to {path}, without persons, secrets and names of staff")
