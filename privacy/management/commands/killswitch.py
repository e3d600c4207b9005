"""The emergency stop from the command line: works with settings that the checks refuse, and without a browser."""

from django.core.management.base import BaseCommand

from orderhub import killswitch
from privacy import emergency

ACTOR = "manage.py killswitch"


class Command(BaseCommand):
    help = "Stop now: end all sessions, send nothing to anybody, let jobs rest. --release lifts it, --state only says."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--release", action="store_true", help="lift the stop: everything goes on where it was")
        parser.add_argument("--state", action="store_true", help="say whether the stop is on; change nothing")

    def handle(self, *, release: bool, state: bool, **options):
        if state:
            self.stdout.write("on" if killswitch.is_set() else "off")
        elif release:
            lifted = emergency.lift(actor=ACTOR)
            self.stdout.write("lifted: everything goes on" if lifted else "the emergency stop was not on")
        else:
            ended = emergency.stop(actor=ACTOR)
            self.stdout.write(f"stopped: {ended} sessions ended, nothing is sent, jobs rest; --release lifts it")
