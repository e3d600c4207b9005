"""Idempotency-Key: a creating request that is sent again makes nothing again, and shows what it made as it is by now.

Of a request only hashes and the ids of what it made are kept, for a day. A client's keys are its own: another client's
equal one is another.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from orderhub.models import IdempotentRequest
from orderhub.rest.problems import Problem

KEPT = timedelta(hours=24)
ABANDONED = timedelta(seconds=70)  # longer than any request lives: whoever began it is gone
HEADER = "Idempotency-Key"
MOST_LETTERS = 200
_VALUE = re.compile(rf"[!-~]{{1,{MOST_LETTERS}}}")


def once(request, *, route: str, now: datetime, make: Callable[[], list[int]]) -> tuple[list[int], bool]:
    """Run `make`, which returns the ids of what it made, once for this header; returns the ids and whether it ran now.

    400 without the header, 422 where it came with another body or address, 409 while the first is still at work.
    `make` runs in the transaction that notes its end, so a killed request leaves both or none; where it fails, the
    header is free again.
    """
    value = request.headers.get(HEADER, "")
    if not _VALUE.fullmatch(value):
        detail = _("Send a header Idempotency-Key with a random value of your own, the same one when you try again.")
        raise Problem(400, "idempotency-key-missing", detail)
    row = IdempotentRequest(
        key=request.auth,
        value_hash=_hash(value.encode()),
        route=route[:120],
        body_hash=_hash(_canonical(request.data)),
        at=now,
    )
    done = _begin(row, now)
    if done is not None:
        return done, False
    mine = IdempotentRequest.objects.filter(pk=row.pk, at=now, status__isnull=True)
    try:
        with transaction.atomic():
            ids = make()
            if not mine.update(status=201, object_ids=ids):
                raise _at_work()  # somebody took it for abandoned: what was made here is rolled back
    except BaseException:
        mine.delete()
        raise
    return ids, True


def _begin(row: IdempotentRequest, now: datetime) -> list[int] | None:
    """Claim the header; the ids of what was made before where it is done already."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
        return None
    except IntegrityError:
        earlier = IdempotentRequest.objects.filter(key=row.key, value_hash=row.value_hash).first()
    if earlier is None:
        raise _at_work()
    if (earlier.route, earlier.body_hash) != (row.route, row.body_hash):
        raise Problem(
            422, "idempotency-key-reused", _("This Idempotency-Key belongs to another request. Take a new one.")
        )
    if earlier.status is not None:
        return list(earlier.object_ids)
    free = IdempotentRequest.objects.filter(
        Q(at__lt=now - ABANDONED) | Q(at__gt=now), pk=earlier.pk, status__isnull=True
    )
    if not free.update(at=now):
        raise _at_work()
    row.pk = earlier.pk
    return None


def _at_work() -> Problem:
    detail = _("The first request with this Idempotency-Key is still at work. Try again in a moment.")
    return Problem(409, "idempotency-key-at-work", detail, headers={"Retry-After": "2"})


def forget(*, now: datetime) -> int:
    """Delete what is older than a day; returns how many. Safe to repeat."""
    return IdempotentRequest.objects.filter(at__lt=now - KEPT).delete()[0]


def _canonical(data) -> bytes:
    return json.dumps(data, sort_keys=True, default=str).encode()


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
