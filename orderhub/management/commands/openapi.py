"""Write the description of the native API to docs/openapi.json, or say whether the one there is up to date."""

from django.core.management.base import BaseCommand, CommandError

from orderhub.api import schema


class Command(BaseCommand):
    help = "Write docs/openapi.json; with --check, fail where it is not what the code says."

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true")

    def handle(self, *, check, **options):
        made = schema.text()
        if not check:
            schema.COMMITTED.write_text(made)
            return f"{schema.COMMITTED.name}: {made.count(chr(10))} lines"
        if not schema.COMMITTED.is_file() or schema.COMMITTED.read_text() != made:
            raise CommandError("docs/openapi.json is not what the code says: run `manage.py openapi`.")
        return "docs/openapi.json is up to date."
