from datetime import UTC, datetime

import pytest

from stores.simulator import scenarios
from stores.simulator.server import serve
from stores.simulator.world import World

from .asking import InProcess, OverHttp

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def frozen(world: World) -> World:
    world.clock.set(NOON)
    world.clock.scale = 0
    return world


@pytest.fixture(autouse=True)
def english() -> None:
    """Nothing here is translated: in the place of the fixture for all tests, which needs Django's settings."""


@pytest.fixture
def world() -> World:
    """All sellers, no orders, the clock frozen at noon."""
    return frozen(scenarios.empty(now=NOON))


@pytest.fixture
def us(world: World) -> InProcess:
    """Signed in as the North American seller, in-process."""
    return InProcess(world).sign_in(scenarios.NA)


@pytest.fixture
def served(world: World):
    with serve(world) as server:
        yield server


@pytest.fixture
def http(served) -> OverHttp:
    """The same over a real socket."""
    return OverHttp(served.base_url).sign_in(scenarios.NA)


@pytest.fixture
def order(world: World):
    """One merchant order of two lines, an hour old."""
    items = [{"sku": "A", "quantity": 2}, {"sku": "B"}]
    early = NOON.replace(hour=11)
    return world.add_order(scenarios.NA, items=items, created=early, updated=early, buyer_name="Nell Elmsworthy")
