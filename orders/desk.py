"""What the page of one order shows of the work on it: whose it is, its tags, its own status, notes, custom fields."""

from dataclasses import dataclass, field

from orders import assigning, custom_columns, notes, own_status
from orders.models import Order, Tag


@dataclass(frozen=True)
class Choice:
    """One entry of a select."""

    value: str
    name: str
    chosen: bool = False


@dataclass(frozen=True)
class Work:
    """Whose work it is, and what else may be chosen; the lists of choices are empty for who may not change it."""

    may_change: bool
    worker: str
    mine: bool
    may_take: bool
    workers: list[Choice]
    tags: list[Tag]
    more_tags: list[Tag]
    own: str
    own_choices: list[Choice]


@dataclass(frozen=True, repr=False)  # no repr: texts would reach tracebacks
class Notes:
    """`text`, `error`: a note that was refused, kept as it was typed, and why."""

    may_see: bool
    may_add: bool
    rows: list[notes.Shown] = field(default_factory=list)
    text: str = ""
    error: str = ""
    most: int = notes.MOST


def work_on(user, order: Order) -> Work:
    """The work panel; a constant number of queries."""
    may_change = user.has_perm(assigning.RIGHT)
    worker = assigning.worker(order)
    people = list(assigning.assignable()) if may_change else []
    tags = list(order.tags.all())
    held = {tag.pk for tag in tags}
    own = own_status.label(order)
    names = [row.name for row in own_status.choices(order)] if may_change else []
    return Work(
        may_change=may_change,
        worker=worker.get_username() if worker else "",
        mine=worker is not None and worker.pk == user.pk,
        may_take=any(person.pk == user.pk for person in people),
        workers=[Choice(str(person.pk), person.get_username(), person == worker) for person in people],
        tags=tags,
        more_tags=[tag for tag in Tag.objects.all() if tag.pk not in held] if may_change else [],
        own=own,
        own_choices=[Choice(name, name, name == own) for name in names],
    )


def notes_on(user, order: Order, *, text: str = "", error: str = "") -> Notes:
    """The panel of notes; two queries. `text`, `error`: see Notes."""
    may_see, may_add = user.has_perm("orders.view_ordernote"), user.has_perm("orders.add_ordernote")
    return Notes(may_see, may_add and not order.masked, notes.shown_to(user, order), text, error)


def context(user, order: Order, refused_note: dict[str, str] | None) -> dict:
    """What the page of the order adds for these panels."""
    return {
        "work": work_on(user, order),
        "notes": notes_on(user, order, **(refused_note or {})),
        "custom_fields": custom_columns.on_page(user, order),
    }
