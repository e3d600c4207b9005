"""The security log: added to, chained, never changed."""

import pytest
from django.db import transaction

from privacy import audit
from privacy.models import SecurityChain, SecurityEvent
from privacy.models.event import EventCode, NeverChanged
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_event_names_who_and_what_and_is_chained_after_its_commit():
    user = make_user("Support")
    with transaction.atomic():
        event = audit.record(EventCode.LABEL_OPENED, user=user, kind="label", ids=[3], reason="print")
        assert event.position is None
    event.refresh_from_db()
    assert (event.user, event.roles, event.kind, event.ids, event.position) == (user, "Support", "label", [3], 1)
    assert event.digest == audit.digest_of(event, before="")


def test_each_event_is_chained_to_the_one_before():
    first, second = (audit.record(EventCode.SIGNED_OUT, actor=name) for name in ("one", "two"))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.position, second.position) == (1, 2)
    assert second.digest == audit.digest_of(second, before=first.digest)
    assert SecurityChain.objects.get().digest == second.digest


def test_an_event_is_neither_changed_nor_deleted():
    event = audit.record(EventCode.SIGNED_OUT, actor="one")
    event.code = EventCode.LOCKED
    for deed in (event.save, event.delete, SecurityEvent.objects.all().delete):
        with pytest.raises(NeverChanged):
            deed()
    with pytest.raises(NeverChanged):
        SecurityEvent.objects.update(code=EventCode.LOCKED)
    assert SecurityEvent.objects.get().code == EventCode.SIGNED_OUT
