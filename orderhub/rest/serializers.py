"""Serializers that say no to what they do not know, and show only what is asked for."""

from collections.abc import Iterable, Mapping

from rest_framework import serializers

from orderhub.rest.problems import UNKNOWN_FIELD

MOST_NAMED = 100


class IdField(serializers.IntegerField):
    """The id of a row, as a database can have it."""

    def __init__(self, **kwargs):
        super().__init__(min_value=1, max_value=2**53, **kwargs)


class StrictSerializer(serializers.Serializer):
    """Input with a field that is not known, or that only we write, is refused whole: a typing error must not pass for
    an update, and nobody sets what is not theirs."""

    def to_internal_value(self, data):
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            unknown = [str(name) for name in data if name not in known]
            if unknown:
                raise serializers.ValidationError(
                    {name[:60]: [serializers.ErrorDetail(UNKNOWN_FIELD, "unknown")] for name in unknown[:MOST_NAMED]}
                )
        return super().to_internal_value(data)


class SparseSerializer(StrictSerializer):
    """Output of the fields that `only` names, as `?fields=a,b` does; all of them where it names none."""

    def __init__(self, *args, only: Iterable[str] = (), **kwargs):
        super().__init__(*args, **kwargs)
        if only:
            for name in set(self.fields) - set(only):
                self.fields.pop(name)


def sparse(serializer: type[SparseSerializer], query: Mapping) -> tuple[str, ...]:
    """What `?fields=` of this request names. ValidationError for a name the serializer has not."""
    text = query.get("fields", "")
    names = tuple(filter(None, (name.strip() for name in text.split(","))))
    unknown = [name[:60] for name in names if name not in serializer._declared_fields]
    if unknown:
        raise serializers.ValidationError({"fields": [UNKNOWN_FIELD]})
    return names
