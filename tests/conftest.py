"""Fixtures: a simulator over real HTTP, one frozen clock for both sides, and a guard on the way out."""

import gc
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from django.db import connection

from orderhub import clock
from privacy import deadman, restored
from shipments import carriers
from stores.connectors.amazon import signin
from stores.simulator import scenarios
from stores.simulator.server import serve
from stores.simulator.world import World
from tests import template


@pytest.fixture(scope="session")
def django_db_keepdb(request) -> bool:
    """In one of several processes the database is there already, migrated."""
    return hasattr(request.config, "workerinput") or request.config.option.reuse_db


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request, django_db_blocker, django_db_modify_db_settings_parallel_suffix) -> None:
    if hasattr(request.config, "workerinput"):
        with django_db_blocker.unblock():
            template.copy()


def pytest_configure(config) -> None:
    """With several processes one database is made for all of them."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        maker = template.start()
        config.add_cleanup(lambda: template.drop(maker))


NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


LARGE, ONE_IN = 2, 3  # a matrix of more cells than this, and how many of them are tried


def thin_out(items) -> None:
    """Of a matrix marked `sampled(n)` only every n-th cell is not long; of any other large one every third."""
    cells = Counter(map(_matrix, items))
    seen: Counter = Counter()
    for item in items:
        matrix = _matrix(item)
        marker = item.get_closest_marker("sampled")
        every = marker.args[0] if marker else ONE_IN if cells[matrix] > LARGE else 1
        if seen[matrix] % every:
            item.add_marker(pytest.mark.long)
        seen[matrix] += 1


def _matrix(item) -> tuple[str, str]:
    return item.parent.nodeid, getattr(item, "originalname", item.name)


ON_BOTH, ON_POSTGRESQL = 4, 6  # one in so many


def share_out(items) -> None:
    """What both databases would be asked is shared out between them, so that every test runs on one; what is left to
    the other is long, and `make faults` runs it.

    PostgreSQL, which production has, gets every test whose transactions are real (kills, races, faults, jobs), of
    which SQLite gets one in four, and one in six of the others. Pages and what asks no database are SQLite's alone.
    """
    postgresql = connection.vendor == "postgresql"
    seen: Counter = Counter()
    for item in items:
        if not _is_for_both(item):
            continue
        own = _commits(item)
        seen[own] += 1
        mine = seen[own] % (ON_BOTH if own else ON_POSTGRESQL) == 0
        if not (mine or postgresql if own else mine == postgresql):
            item.add_marker(pytest.mark.long)


def _is_for_both(item) -> bool:
    alone = item.get_closest_marker("long") or item.get_closest_marker("skipif") or item.path.name == "test_canary.py"
    return not alone and _asks_the_database(item) and "screens" not in item.path.parts


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items) -> None:
    """On PostgreSQL only what asks the database runs, pages and the canary run aside: they take minutes, and cannot end
    otherwise there than on SQLite. `make faults` runs the canary on both."""
    thin_out(items)
    share_out(items)
    if connection.vendor != "postgresql":
        return
    kept = [item for item in items if _asks_the_database(item) and "screens" not in item.path.parts]
    if config.option.markexpr == "not long":
        kept = [item for item in kept if item.path.name != "test_canary.py"]
    chosen = set(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = kept


def _asks_the_database(item) -> bool:
    return bool(
        item.get_closest_marker("django_db") or {"db", "transactional_db", "live_server"} & set(item.fixturenames)
    )


def _commits(item) -> bool:
    """Whether its transactions are real."""
    marker = item.get_closest_marker("django_db")
    return bool(marker and marker.kwargs.get("transaction")) or "transactional_db" in item.fixturenames


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    """Whatever connects beyond this machine fails the run."""
    real = socket.socket.connect

    def guarded(self, address):
        if self.family in {socket.AF_INET, socket.AF_INET6} and not ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to reach {address[0]}")
        return real(self, address)

    socket.socket.connect = guarded
    yield
    socket.socket.connect = real


@pytest.fixture(autouse=True)
def english(settings) -> None:
    """Sentences are compared in English; French has its own tests."""
    settings.LANGUAGE_CODE = "en"


@pytest.fixture(autouse=True)
def carriers_of_the_table() -> None:
    """What another test said otherwise of a carrier is forgotten: a process keeps it for a minute."""
    carriers.forget()


@pytest.fixture(autouse=True)
def erasure_well() -> None:
    """A process keeps for a minute how erasure fares; another test's is forgotten. Who asks says deadman.forget()."""
    deadman.remember(deadman.WELL)
    restored.remember(False)


@pytest.fixture
def noon() -> Iterator[datetime]:
    """Our clock stands still at NOON; move it with `travel` or orderhub.clock.advance."""
    with clock.at(NOON):
        yield NOON


@pytest.fixture
def simulate(settings, noon) -> Iterator[Callable[[World], World]]:
    """`simulate(world)`: serve a simulator world over real HTTP, its clock frozen at ours."""
    running = []

    def start(world: World) -> World:
        signin._cache.clear()  # another test's simulator may have had this very address
        world.clock.scale = 0
        world.clock.set(clock.now())
        server = serve(world)
        server.__enter__()
        running.append(server)
        settings.SPAPI_BASE_URL = server.base_url
        settings.LWA_TOKEN_URL = f"{server.base_url}/auth/o2/token"
        settings.LWA_CLIENT_ID, settings.LWA_CLIENT_SECRET = scenarios.CLIENT_ID, scenarios.CLIENT_SECRET
        settings.SPAPI_APPLICATION_ID = scenarios.APPLICATION_ID
        settings.SELLER_CENTRAL_BASE_URL = settings.BIGCOMMERCE_BASE_URL = server.base_url
        return world

    yield start
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture
def world(simulate) -> World:
    """Sellers without orders, served."""
    return simulate(scenarios.empty(now=NOON))


@pytest.fixture
def travel(noon):
    """`travel(world, minutes=5)`: move our clock and the simulator's together."""

    def go(world: World | None = None, **delta: float) -> datetime:
        instant = clock.advance(**delta)
        if world is not None:
            world.clock.set(instant)
        return instant

    return go


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector need not walk it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
