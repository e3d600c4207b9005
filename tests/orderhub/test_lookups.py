"""`__among`: one parameter whatever the number of ids, and none of none."""

import pytest

from orderhub.lookups import Ids
from privacy.models import DataKey, ErasureCertificate
from stores.models import Merchant

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("none", [[], Ids([])])
@pytest.mark.parametrize(("model", "column"), [(DataKey, "owner"), (ErasureCertificate, "subject_id")])
def test_nothing_is_among_none_and_everything_is_elsewhere(model, column, none):
    key = DataKey.objects.create(owner="order:1", wrapped="x")
    assert list(model.objects.filter(**{f"{column}__among": none})) == []
    assert list(DataKey.objects.exclude(owner__among=none)) == [key]


def test_texts_and_numbers_are_found():
    keys = [DataKey.objects.create(owner=f"order:{number}", wrapped="x") for number in range(3)]
    assert set(DataKey.objects.filter(owner__among=["order:0", "order:2", "order:9"])) == {keys[0], keys[2]}
    merchants = [Merchant.objects.create(name=name) for name in "abc"]
    numbers = [found.pk for found in merchants[:2]]
    assert set(Merchant.objects.filter(pk__among=numbers)) == set(merchants[:2])
    assert set(Merchant.objects.filter(pk__among=Ids(numbers))) == set(merchants[:2])
