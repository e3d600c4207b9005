"""V1, V6: sequences of shipping, voiding, splitting, combining, telling, dying and telling again, drawn at random."""

import os

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from stores.simulator import scenarios
from tests.conftest import NOON
from tests.end_to_end.shipping_machine import Shop

pytestmark = pytest.mark.django_db(transaction=True)
QUICK = {"max_examples": 2, "stateful_step_count": 12, "phases": (Phase.generate,)}
PARTS = 20  # of the long run, so that several processes share it
LONG = {"max_examples": int(os.environ.get("MACHINES", "500")) // PARTS, "stateful_step_count": 40}


def run(simulate, how: dict, *, part: int = 0) -> None:
    shop = seed(part)(type("Shop", (Shop,), {"world": simulate(scenarios.empty(now=NOON))}))
    quiet = settings(
        **how, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck),
        print_blob=True, report_multiple_bugs=False,
    )  # fmt: skip
    run_state_machine_as_test(shop, settings=quiet)


def test_v1_v6_a_few_sequences_tell_amazon_once(simulate):
    run(simulate, QUICK)


@pytest.mark.long
@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_v1_v6_500_sequences_of_40_steps_tell_amazon_once(simulate, part):
    run(simulate, LONG, part=part)
