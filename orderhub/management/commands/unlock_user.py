"""For when no administrator can sign in: whoever has the server has the key."""

from django.core.management.base import BaseCommand, CommandError

from orderhub.models import User
from orderhub.signin import lockout, secondfactor, sessions
from privacy import audit
from privacy.models.event import EventCode


class Command(BaseCommand):
    help = "Forget the failed sign-ins of a user; with --second-factor also the second factor, when the phone is lost."

    def add_arguments(self, parser):
        parser.add_argument("username")
        parser.add_argument("--second-factor", action="store_true", help="remove the second factor as well")

    def handle(self, *, username: str, second_factor: bool, **options):
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError("There is no user of this name.")
        lockout.unlock(user, actor="unlock_user")
        if second_factor and secondfactor.remove(user):
            audit.record(
                EventCode.SECOND_FACTOR_REMOVED, actor="unlock_user", kind="user", ids=[user.pk], reason="command"
            )
            sessions.end_all(user, sessions.Reason.FACTOR, actor="unlock_user")
        return f"{username} may sign in again."
