"""Deleting rows with everything that hangs on them, whatever models that are, in a number of statements that depends on
the models alone.

What cannot be without a row (a key that may not be empty) goes with it; what merely refers to it stays and forgets it.
Found from the models, so that a table added later goes as well. Foreign keys are checked at the end of the transaction,
on both databases, so the order of the deletes does not matter.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from django.db import models

Doomed = dict[type[models.Model], set[int]]


def delete(model: type[models.Model], ids: Iterable[int], *, keep: Collection[type[models.Model]] = ()) -> Counter:
    """Delete these rows and their trees; how many went, by table. Call inside a transaction. Keys are integers.

    `keep`: models whose rows stay, though what hangs on them goes.
    """
    gone: Counter = Counter()
    doomed = _grown(model, ids)
    if not doomed:
        return gone
    for leaf, key in _leaves(doomed, keep):
        gone[leaf._meta.db_table] += _remove(leaf._base_manager.filter(**{f"{key}__among": _sorted(doomed, leaf, key)}))
    _let_go({found: rows for found, rows in doomed.items() if found not in keep}, doomed)
    for found, rows in doomed.items():
        if found not in keep:
            gone[found._meta.db_table] += _remove(found._base_manager.filter(pk__among=sorted(rows)))
    return gone


def _grown(model: type[models.Model], ids: Iterable[int]) -> Doomed:
    """The rows and all below them that have rows below themselves."""
    doomed: Doomed = {}
    waiting = [(model, set(ids))]
    while waiting:
        found, rows = waiting.pop(0)
        new = rows - doomed.get(found, set())
        if not new:
            continue
        doomed.setdefault(found, set()).update(new)
        for relation in _relations(found):
            below = relation.related_model
            if not relation.field.null and _has_below(below):
                held = below._base_manager.filter(**{f"{relation.field.name}__among": sorted(new)})
                waiting.append((below, set(held.values_list("pk", flat=True))))
    return doomed


def _leaves(doomed: Doomed, keep: Collection[type[models.Model]]) -> list[tuple[type[models.Model], str]]:
    """Models without rows below themselves, and by which key they hang on what goes: no need to read them first."""
    return [
        (relation.related_model, relation.field.name)
        for model in doomed
        for relation in _relations(model)
        if not relation.field.null and not _has_below(relation.related_model) and relation.related_model not in keep
    ]


def _sorted(doomed: Doomed, leaf: type[models.Model], key: str) -> list[int]:
    return sorted(doomed[leaf._meta.get_field(key).related_model])


def _let_go(going: Doomed, doomed: Doomed) -> None:
    """Rows that stay and refer to one that goes."""
    for model, rows in going.items():
        for relation in _relations(model):
            if relation.field.null:
                name, other = relation.field.name, relation.related_model
                staying = other._base_manager.filter(**{f"{name}__among": sorted(rows)})
                staying.exclude(pk__in=doomed.get(other, ())).update(**{name: None})


def _relations(model: type[models.Model]) -> Iterator:
    for relation in model._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and not relation.many_to_many:
            yield relation


def _has_below(model: type[models.Model]) -> bool:
    return any(True for _relation in _relations(model))


def _remove(rows: models.QuerySet) -> int:
    return rows._raw_delete(rows.db)
