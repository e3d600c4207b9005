"""Everything that may stop an erasure, at the same time: no queue, no schedule, and an order that spoils its own."""

from datetime import timedelta

import pytest
from django_q.models import OrmQ, Schedule

from orderhub import jobs
from privacy import access, deadman
from tests.factories import make_user
from tests.privacy.rows import due_label, due_order, state_of, sweep
from tests.privacy.test_dead_man import LATE, health, hours_pass, look
from tests.privacy.test_erasure import in_trouble

pytestmark = pytest.mark.django_db


def test_f05_f06_f07_with_queue_stopped_schedule_broken_and_poison_planted_all_others_go_in_time(noon, client):
    sweep()
    jobs.sync_schedules()
    Schedule.objects.update(args="((((", kwargs="}", next_run=noon + timedelta(days=9000))
    OrmQ.objects.bulk_create(OrmQ(key="orderhub", payload="x", lock=noon) for _row in range(300))
    poison = due_label(due=noon - timedelta(hours=1))
    in_trouble(poison)
    client.force_login(make_user(access.SUPPORT))
    for _round in range(2):  # a page opened every two hours and a half is all that still happens
        fallen_due = [due_order() for _each in range(3)]
        hours_pass(2.5)
        look(client)
        assert {state_of(order) for order in fallen_due} == {"redacted"}
    stuck = poison.shipment.order
    stuck.refresh_from_db()
    assert (stuck.pii_state, stuck.masked) == ("redacting", True)
    deadman.forget()
    assert LATE in look(client) and health(client) == (503, "late")
    assert OrmQ.objects.count() >= 300
