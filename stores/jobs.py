"""The clock's door to keeping connected."""

from orderhub import clock
from orderhub.jobs import every
from stores import authorizations, digest, secrets


@every(minutes=60)
def watch_authorizations() -> str:
    """Stop what has expired and mail what nobody was told of yet: at most once per account and threshold.

    Hourly, so that a stopped account is told the same hour and a mail that failed leaves soon after.
    """
    now = clock.now()
    secrets.note(now)
    stopped = authorizations.stop_expired(now)
    authorizations.forget_old_marks(now)
    return f"{stopped} expired; {digest.tell(now)}"
