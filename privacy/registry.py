"""Every column of every table, classified. What is in nobody's list fails a test and a check.

Each app says in `personal_data.py` what its tables hold (`TABLES`) and, where it holds anything of buyers, how it is
found and erased (`HOLDERS`). Tables of libraries are classified here.
"""

import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Protocol

from django.apps import apps
from django.db.models import QuerySet
from django.utils.module_loading import module_has_submodule

from privacy.purposes import Purpose, Shelf


class Kind(StrEnum):
    PUBLIC = "public"  # may be known to anyone who works here
    OPERATIONAL = "operational"  # about orders and jobs, not about people
    PII = "pii"  # about a buyer: masked, latched, erased
    STAFF = "staff"  # about a member of staff
    SECRET = "secret"  # noqa: S105  credentials, encrypted or hashed
    OPAQUE = "opaque"  # bytes of a library, proven free of personal data by the canary run


@dataclass(frozen=True)
class Table:
    """Column names by kind. `Table(pii="name phone")` takes names separated by blanks."""

    columns: dict[str, Kind] = field(default_factory=dict)

    @classmethod
    def of(cls, **kinds: str) -> "Table":
        return cls({name: Kind(kind) for kind, names in kinds.items() for name in names.split()})


@dataclass(frozen=True)
class Candidate:
    """An order that is due: what the certificate says of it. `marker`: its own, where the sweep's is not the right one."""

    order_id: int
    order_number: str
    rule: str
    due_at: datetime
    marker: str = ""


class Subjects(Protocol):
    """The app that owns orders: which are due, and how their state moves. Every method is safe to repeat."""

    def claim(self, *, now: datetime, limit: int, skip: set[int]) -> list[Candidate]:
        """Unfinished ones first, then the oldest due, without `skip`; marks them `redacting` and returns them."""

    def take(self, order_ids: list[int], *, now: datetime, marker: str, rule: str) -> list[Candidate]:
        """Those of these orders that are not erased yet, due or not: marks them `redacting`, for good, by this rule."""

    def standing(self, order_ids: list[int]) -> list[int]:
        """Those of these orders that exist and are not erased yet."""

    def references(self, order_ids: list[int]) -> list[tuple[int, int, str]]:
        """Id, store and number, which tell an order even where a backup gave it another id, of those whose erasure has
        not begun."""

    def ids_of(self, references: list[tuple[int, str]]) -> list[int]:
        """The orders with these stores and numbers."""

    def due_between(self, *, now: datetime, until: datetime) -> list[Candidate]: ...

    def finish(self, order_ids: list[int], *, now: datetime) -> None: ...

    def fail(self, order_id: int, *, error: str) -> None: ...

    def overdue(self, *, now: datetime) -> int: ...

    def begun(self) -> list[tuple[Candidate, str]]:
        """Orders that some run began and did not finish, the oldest due first, each with the error kept of it."""

    def late(self, *, now: datetime, unmasked: bool = False) -> QuerySet:
        """Orders due before `now` and not erased; `unmasked`: only those whose data anybody can still see."""

    def clock_ahead_s(self, *, now: datetime) -> int | None:
        """Seconds our clock is ahead of the freshest time heard from outside; None where there is none to go by."""


class Holder(Protocol):
    """One place where an app holds personal data of orders. The later ones of an app still see what is overwritten
    after them: who compares texts with names stands before the names."""

    def destroy_files(self, order_ids: list[int], *, now: datetime) -> dict[int, int]:
        """Destroy the files that are due; returns how many files of an order are gone by now, by order."""

    def redact_due_files(self, *, now: datetime, marker: str) -> Iterator[tuple[int, str]]:
        """Destroy files on their own clock, one by one: (order id, '' or the name of the error)."""

    def overwrite(self, order_ids: list[int], *, marker: str, now: datetime) -> dict[int, list[str]]:
        """Overwrite the columns set-based; returns the names of the fields that held something, by order."""

    def leftovers(self, order_ids: list[int], *, now: datetime) -> set[int]:
        """Orders that still hold something they should not."""


DJANGO_Q_TABLES = {
    "django_q_schedule": Table.of(
        operational="id func hook args kwargs schedule_type minutes repeats next_run cron task name cluster "
        "intended_date_kwarg"
    ),
    "django_q_task": Table.of(
        operational="id name func hook group started stopped success attempt_count cluster",
        opaque="args kwargs result",
    ),
    "django_q_ormq": Table.of(operational="id key lock", opaque="payload"),
}
AXES_TABLES = {  # one is written, accessfailurelog: its user names are keyed hashes, its texts of the request are empty
    "axes_accessattempt": Table.of(
        staff="id user_agent ip_address username http_accept path_info attempt_time get_data post_data "
        "failures_since_start"
    ),
    "axes_accessattemptexpiration": Table.of(staff="access_attempt_id expires_at"),
    "axes_accessfailurelog": Table.of(
        staff="id user_agent ip_address username http_accept path_info attempt_time locked_out"
    ),
    "axes_accesslog": Table.of(
        staff="id user_agent ip_address username http_accept path_info attempt_time logout_time session_hash"
    ),
}
LIBRARY_TABLES = (
    DJANGO_Q_TABLES
    | AXES_TABLES
    | {
        "auth_group": Table.of(public="id name"),
        "auth_group_permissions": Table.of(public="id group_id permission_id"),
        "auth_permission": Table.of(public="id name content_type_id codename"),
        "django_content_type": Table.of(public="id app_label model"),
        "django_migrations": Table.of(public="id app name applied"),
        "django_admin_log": Table.of(
            operational="id action_time object_id object_repr action_flag change_message content_type_id user_id"
        ),
        "django_session": Table.of(secret="session_key", opaque="session_data", operational="expire_date"),
        "sqlite_sequence": Table.of(public="name seq"),
    }
)


def _modules() -> Iterable:
    for config in apps.get_app_configs():
        if module_has_submodule(config.module, "personal_data"):
            yield importlib.import_module(f"{config.name}.personal_data")


@cache
def tables() -> dict[str, Table]:
    """Every classified table, ours and the libraries'."""
    found = dict(LIBRARY_TABLES)
    for module in _modules():
        found |= module.TABLES
    return found


def holders() -> list[Holder]:
    """Every app's holders in their order, files before columns being the caller's business."""
    return [holder for module in _modules() for holder in getattr(module, "HOLDERS", ())]


def subjects() -> Subjects:
    """The one owner of orders."""
    return next(module.SUBJECTS for module in _modules() if hasattr(module, "SUBJECTS"))


def personal_columns() -> list[tuple[str, str]]:
    """Every (table, column) about a buyer."""
    return [
        (table, column)
        for table, found in tables().items()
        for column, kind in found.columns.items()
        if kind is Kind.PII
    ]


def purposes() -> dict[str, Purpose]:
    """Why each table with personal columns has them, and which order a row of it belongs to."""
    return {table: told for module in _modules() for table, told in getattr(module, "PURPOSES", {}).items()}


def shelves() -> list[Shelf]:
    """Every storage in which an app keeps files."""
    return [shelf for module in _modules() for shelf in getattr(module, "SHELVES", ())]
