"""Accounts that need somebody: stopped ones, and authorisations that end soon. Who was warned of what."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Case, Q, QuerySet, When

from stores import health
from stores.models import AmazonAccount

THRESHOLDS = (1, 7, 14, 30)  # days left; each is told once per authorisation
STOPPED_TOLD = 0  # as `warned_days`: it was told that the account stopped
SOON_DAYS, URGENT_DAYS = 30, 7
DAY = timedelta(days=1)
Status = AmazonAccount.Status
STOPPED = (Status.EXPIRED, Status.REVOKED, Status.PAUSED)


@dataclass(frozen=True)
class Attention:
    """`stopped`: nothing is imported or told. `ending`: working, with at most 30 days left, the shortest first."""

    stopped: list[AmazonAccount]
    ending: list[AmazonAccount]


def concerned(now: datetime) -> QuerySet[AmazonAccount]:
    """Accounts that do not work, then those with at most 30 days left. Without their tokens."""
    works = Q(status=Status.ACTIVE)
    soon = Q(authorization_expires_at__lt=now + (SOON_DAYS + 1) * DAY)
    return (
        AmazonAccount.objects.filter(~works | soon)
        .order_by(Case(When(works, then=1), default=0), "authorization_expires_at", "pk")
        .select_related("merchant")
        .defer("refresh_token", "page_token", "participations")
    )


def needing_attention(now: datetime) -> Attention:
    """Every account somebody must do something about. One query, and one for each prefetch the caller adds."""
    rows = list(concerned(now))
    return Attention(
        [account for account in rows if account.status in STOPPED],
        [account for account in rows if account.status == Status.ACTIVE],
    )


def stop_expired(now: datetime) -> int:
    """Stop the accounts whose year is over, also those no job looks at; returns how many."""
    over = AmazonAccount.objects.filter(status__in=[Status.ACTIVE, Status.PAUSED], authorization_expires_at__lte=now)
    over.filter(status=Status.PAUSED).update(warned_days=None)  # another remedy than the one that was told
    return sum(health.stop_if_expired(account, now=now) for account in over)


def mark(account: AmazonAccount, now: datetime) -> int | None:
    """The threshold an account has passed; 0 for a stopped one, None where there is nothing to tell.

    Days are those of the calendar (UTC), so that all thresholds of a day are passed together, at its beginning.
    """
    if account.status in STOPPED:
        return STOPPED_TOLD
    days = (account.authorization_expires_at.astimezone(UTC).date() - now.astimezone(UTC).date()).days
    return next((threshold for threshold in THRESHOLDS if days <= threshold), None)


def untold(accounts: list[AmazonAccount], now: datetime) -> list[AmazonAccount]:
    """Those that passed a threshold nobody was told of."""
    return [
        account
        for account in accounts
        if (passed := mark(account, now)) is not None and (account.warned_days is None or account.warned_days > passed)
    ]


def record_told(accounts: list[AmazonAccount], now: datetime) -> None:
    """Keep what was told, after it was: told twice is better than never. An account re-opened meanwhile starts anew."""
    for account in accounts:
        same = AmazonAccount.objects.filter(pk=account.pk, epoch=account.epoch)
        same.update(warned_days=mark(account, now))


def forget_old_marks(now: datetime) -> None:
    """What was told of an earlier stop or an earlier authorisation counts no more for a working account."""
    renewed = Q(authorization_expires_at__gte=now + (SOON_DAYS + 1) * DAY)
    stale = AmazonAccount.objects.working().filter(Q(warned_days=STOPPED_TOLD) | renewed)
    stale.filter(warned_days__isnull=False).update(warned_days=None)
