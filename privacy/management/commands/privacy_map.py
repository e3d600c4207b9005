"""Write docs/privacy.md from the registry, or say that it is no longer what the registry says."""

from django.core.management.base import BaseCommand, CommandError

from privacy import describing


class Command(BaseCommand):
    help = "Print what is kept of people, why, how long and where; --write puts it into docs/privacy.md."

    def add_arguments(self, parser):
        parser.add_argument("--write", action="store_true", help="write docs/privacy.md")
        parser.add_argument("--check", action="store_true", help="end with 1 where docs/privacy.md says anything else")

    def handle(self, *, write: bool, check: bool, **options):
        text = describing.document()
        if check:
            if not describing.PATH.exists() or describing.PATH.read_text() != text:
                raise CommandError(f"docs/privacy.md is not what the registry says: run {describing.COMMAND}.")
        elif write:
            describing.PATH.write_text(text)
            self.stdout.write(f"{describing.PATH.name}: {len(text.splitlines())} lines")
        else:
            self.stdout.write(text, ending="")
