"""The inner half of `make demo`: fills the demo's database through the product's own functions."""

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from orderhub.demo import story
from orderhub.housekeeping import marking
from stores.simulator import scenarios


class Command(BaseCommand):
    help = "Used by the demo command: migrate, make users, live through the past weeks. Needs the simulator."

    def add_arguments(self, parser):
        parser.add_argument("--main-job", action="store_true", help="run the main job once, then print the figures")
        parser.add_argument("--no-users", action="store_true", help="do not print the users: the shop is gone at once")
        parser.add_argument("--started", type=float, required=True)

    def handle(self, *, main_job: bool, no_users: bool, started: float, **options):
        if settings.ORDERHUB_ENV != "demo" or not settings.SPAPI_BASE_URL:
            raise CommandError("Start the demonstration with `make demo`.")
        if marking.is_production():
            raise CommandError(
                "This database has served a production installation: the demonstration does not touch it. Give it an "
                "empty one, and use dump_anonymised where you need data."
            )
        amazon = story.Amazon(settings.SPAPI_BASE_URL)
        if main_job:
            story.visit(parcels=4)
            story.catch_up(seconds=60)
            told = story.figures(amazon, started=started)
            story.keep_figures(told)
            return
        call_command("migrate", verbosity=0)
        passwords = story.make_users()
        story.tell(amazon)
        if no_users:
            return
        self.stdout.write("Users (random passwords, shown only here):")
        for name, password in passwords.items():
            self.stdout.write(f"  {name:<10} {password}   {story.USERS[name]}")
        new, alone = scenarios.NEWCOMER, scenarios.STANDALONE_CA
        self.stdout.write("To connect (they open nothing but the simulator):")
        self.stdout.write(f"  Amazon.com   seller ID {new.seller_id}   token {new.refresh_token}")
        self.stdout.write(f"  Amazon.ca    seller ID {alone.seller_id}   token {alone.refresh_token}")
        self.stdout.write(f"  BigCommerce  store hash {scenarios.SHOP_HASH}   token {scenarios.SHOP_TOKEN}")
