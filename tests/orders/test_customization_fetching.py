"""The archive of a customised line, from Amazon's address to our files: through the simulator, over HTTP."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orderhub import clock, jobs
from orders.customization import content, fetching
from orders.customization.jobs import fetch_customizations
from orders.models import ItemPersonalData, Order, OrderEvent
from orders.timeline import sentence
from privacy import erasure
from stores.simulator import scenarios
from stores.simulator.orders import SimItem
from tests.conftest import NOON
from tests.factories import connect, rewrite
from tests.orders.driving import import_now
from tests.orders.wishes import GOOD, HOSTILE, image, picture, text, tree, waiting, zipped

pytestmark = pytest.mark.django_db
State = ItemPersonalData.State
HOUR_AGO = NOON - timedelta(hours=1)
URL = "https://zme-caps.amazon.com/t/one"


@pytest.fixture(autouse=True)
def files(settings, tmp_path) -> Path:
    """The folder of pictures, empty."""
    there = settings.STORAGES["customization"]
    options = there["OPTIONS"] | {"location": str(tmp_path)}
    settings.STORAGES = settings.STORAGES | {"customization": there | {"OPTIONS": options}}
    return tmp_path


def fetch() -> str:
    return jobs.run(fetch_customizations.job_name)


def row_of(row: ItemPersonalData) -> ItemPersonalData:
    return ItemPersonalData.objects.select_related("item__order").get(pk=row.pk)


def names(files: Path) -> list[str]:
    return sorted(path.name for path in files.rglob("*") if path.is_file())


def serve(world, settings, sent: bytes, url: str = URL) -> str:
    """Make Amazon hand out this archive; returns where."""
    world.add_order(scenarios.NA, items=[SimItem(customized_url=url, customized_zip=sent)])
    return url.replace("https://zme-caps.amazon.com", settings.SPAPI_BASE_URL)


def outcomes() -> list[dict]:
    return list(OrderEvent.objects.filter(kind="customization").order_by("pk").values_list("params", flat=True))


# --- the way in


def test_r18_a_custom_order_is_imported_with_its_wishes_where_the_store_wants_them(world, files):
    account = connect(scenarios.NA, sources=("US",))
    account.stores.update(import_customization=True)
    lines = [SimItem(customized_url=URL, engraving="Ada & <b>Bob</b>"), SimItem()]
    world.add_order(scenarios.NA, items=lines, created=HOUR_AGO, updated=HOUR_AGO)
    import_now(account)
    fetch()
    row = ItemPersonalData.objects.get()
    assert (row.state, row.customized_url, row.error_code, row.next_attempt_at) == (State.FETCHED, "", "", None)
    told = [(entry["kind"], entry["label"], entry["value"]) for entry in content.read(row)]
    assert told == [
        ("image", "Preview", ""),
        ("font", "Font", "Lora"),
        ("colour", "Colour", "Walnut (#5e4226)"),
        ("text", "Line 1", "Ada & <b>Bob</b>"),
        ("text", "Line 2", "Est. 1987"),
        ("image", "Picture on the back", "hills.png"),
        ("option", "Screws", "Brass screws"),
    ]
    assert names(files) == sorted(row.images) == sorted(e["image"] for e in content.read(row) if e["image"])
    assert all(re.fullmatch(r"[0-9a-f]{32}\.png", name) for name in row.images) and len(row.images) == 2
    assert outcomes() == [{"outcome": "fetched"}]
    assert sentence(OrderEvent.objects.get(kind="customization")) == "Customisation: fetched"


def test_r18_without_the_switch_nothing_is_kept_or_fetched(world, files):
    account = connect(scenarios.NA, sources=("US",))
    world.add_order(scenarios.NA, items=[SimItem(customized_url=URL)], created=HOUR_AGO, updated=HOUR_AGO)
    import_now(account)
    fetch()
    assert (ItemPersonalData.objects.count(), Order.objects.count(), names(files)) == (0, 1, [])


def test_a_store_that_switches_it_off_is_not_fetched_for(world, settings, files):
    row = waiting(serve(world, settings, zipped(GOOD)))
    row.item.order.store.__class__.objects.update(import_customization=False)
    assert fetch() == "0 fetched, 0 refused, 0 failed, 0 later"
    assert row_of(row).state == State.WAITING


# --- what ends it


REFUSED_FOR_GOOD = [name for name, (_make, code) in HOSTILE.items() if code not in fetching.MAY_PASS]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", REFUSED_FOR_GOOD)
def test_b09_a_hostile_archive_leaves_no_file_and_a_code(world, settings, files, name):
    make, code = HOSTILE[name]
    row = waiting(serve(world, settings, make()))
    assert fetch() == "0 fetched, 1 refused, 0 failed, 0 later"
    row = row_of(row)
    assert (row.state, row.error_code, row.customized_url, row.customization) == (State.REFUSED, code, "", "")
    assert (row.images, names(files), outcomes()) == ([], [], [{"outcome": "refused", "code": code}])
    assert fetch() == "0 fetched, 0 refused, 0 failed, 0 later"
    assert not list(Path("/tmp").glob("slipped*"))


@pytest.mark.parametrize("name", ["size said too small", "no archive", "cut short"])
def test_b09_what_is_no_whole_archive_leaves_no_file_and_is_asked_for_again(world, settings, files, name):
    row = waiting(serve(world, settings, HOSTILE[name][0]()))
    assert fetch() == "0 fetched, 0 refused, 0 failed, 1 later"
    row = row_of(row)
    assert (row.state, row.error_code, row.images, names(files)) == (State.WAITING, "NotAnArchive", [], [])


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest/meta-data/", "https://evil.example/t/a", "file:///etc/passwd", "x"]
)
def test_b08_an_address_that_is_not_amazons_is_refused_and_forgotten(world, url):
    row = waiting(url)
    assert fetch() == "0 fetched, 1 refused, 0 failed, 0 later"
    row = row_of(row)
    assert (row.state, row.error_code, row.customized_url) == (State.REFUSED, "AddressRefused", "")


def test_a_failure_that_may_pass_is_tried_again_ever_later_for_three_days(world, settings, travel):
    row = waiting(f"{settings.SPAPI_BASE_URL}/t/not-there-yet")
    began, gaps = clock.now(), []
    while row_of(row).state == State.WAITING:
        before = clock.now()
        assert fetch() == "0 fetched, 0 refused, 0 failed, 1 later" or row_of(row).state == State.FAILED
        due = row_of(row).next_attempt_at
        if due:
            assert row_of(row).error_code == "HTTP404"
            gaps.append((due - before).total_seconds() / 60)
            travel(world, minutes=gaps[-1] - 0.1)
            assert fetch() == "0 fetched, 0 refused, 0 failed, 0 later"  # not before its time
            travel(world, minutes=0.1)
    assert gaps == [5, 15, 60, 240, 720, 1440, 1800]
    assert timedelta(days=2.9) < clock.now() - began < timedelta(days=3.1)
    row = row_of(row)
    assert (row.error_code, row.customized_url) == ("HTTP404", "")
    assert outcomes() == [{"outcome": "failed", "code": "HTTP404"}]


@pytest.mark.parametrize("fault", ["500_before", "503", "429", "cut", "reset", "truncated_json", "empty"])
def test_a_fault_on_the_way_is_made_good(world, settings, files, travel, fault):
    row = waiting(serve(world, settings, zipped(tree(image("a.png")), a__png=picture())))
    world.faults.arm("customization", fault)
    assert fetch() == "0 fetched, 0 refused, 0 failed, 1 later"
    assert (row_of(row).state, names(files)) == (State.WAITING, [])
    travel(world, minutes=6)
    assert fetch() == "1 fetched, 0 refused, 0 failed, 0 later"
    assert len(names(files)) == 1


def test_an_archive_without_a_word_is_fetched_and_says_so(world, settings):
    row = waiting(serve(world, settings, zipped({"something": "else"})))
    fetch()
    assert (row_of(row).state, content.read(row_of(row))) == (State.FETCHED, [])


# --- killed, doubled, erased meanwhile


def test_b08_no_address_and_no_text_in_errors_events_or_jobs(world, settings, caplog):
    from orderhub.models import JobRun

    row = waiting(serve(world, settings, zipped(tree(text("ZQsecretQZ"))), "https://zme-caps.amazon.com/t/ZQtokenQZ"))
    waiting(f"{settings.SPAPI_BASE_URL}/t/ZQtokenQZ-gone")
    fetch()
    assert "ZQsecretQZ" in row_of(row).customization
    seen = f"{list(JobRun.objects.values())}{outcomes()}{caplog.text}{[vars(r) for r in caplog.records]}"
    assert "ZQ" not in seen


@pytest.mark.parametrize("point", ["custom.after_names", "custom.between_files"])
def test_an_attempt_that_fails_while_it_writes_leaves_nothing_behind(
    world, settings, files, travel, monkeypatch, point
):
    row = waiting(
        serve(world, settings, zipped(tree(image("a.png"), image("b.png")), a__png=picture(), b__png=picture()))
    )
    monkeypatch.setenv("ORDERHUB_FAILPOINT", f"{point}:raise")
    fetching.failpoints._visits.clear()
    with pytest.raises(jobs.JobFailed):
        fetch()
    monkeypatch.delenv("ORDERHUB_FAILPOINT")
    left, listed = set(names(files)), set(row_of(row).images)
    assert left <= listed and len(listed) == 2  # whatever there is, the row names it
    travel(world, minutes=6)
    assert fetch() == "1 fetched, 0 refused, 0 failed, 0 later"
    assert names(files) == sorted(row_of(row).images)
    assert not listed & set(names(files))


def test_files_of_a_dead_attempt_go_even_where_the_next_one_fails(world, settings, files, travel, monkeypatch):
    row = waiting(serve(world, settings, zipped(tree(image("a.png")), a__png=picture())))
    monkeypatch.setenv("ORDERHUB_FAILPOINT", "custom.between_files:raise")
    fetching.failpoints._visits.clear()
    with pytest.raises(jobs.JobFailed):
        fetch()
    monkeypatch.delenv("ORDERHUB_FAILPOINT")
    assert len(names(files)) == 1
    travel(world, minutes=6)
    world.faults.arm("customization", "500_before")
    assert fetch() == "0 fetched, 0 refused, 0 failed, 1 later"
    assert (names(files), row_of(row).images) == ([], [])


def test_an_archive_that_kills_every_worker_is_given_up(world, settings, travel, monkeypatch):
    row = waiting(serve(world, settings, zipped(GOOD)))
    other = waiting(serve(world, settings, zipped(GOOD), "https://zme-caps.amazon.com/t/two"))
    ItemPersonalData.objects.filter(pk=row.pk).update(attempts=len(fetching.WAITS) + 1)
    assert fetch() == "1 fetched, 0 refused, 1 failed, 0 later"
    assert (row_of(row).state, row_of(row).error_code) == (State.FAILED, "Interrupted")
    assert row_of(other).state == State.FETCHED


def _meanwhile(monkeypatch, deed) -> None:
    """Do something between the download and the writing."""
    real = fetching.fetching.fetch

    def fetched(url, *, kind):
        sent = real(url, kind=kind)
        deed()
        return sent

    monkeypatch.setattr(fetching.fetching, "fetch", fetched)


def test_nothing_is_written_once_the_order_is_erased_meanwhile(world, settings, files, monkeypatch):
    row = waiting(serve(world, settings, zipped(tree(text("Ada"), image("a.png")), a__png=picture())))
    Order.objects.update(redaction_due_at=clock.now())
    _meanwhile(monkeypatch, lambda: erasure.redact_due(now=clock.now()))
    assert fetch() == "0 fetched, 0 refused, 0 failed, 0 later"
    row = row_of(row)
    assert row.item.order.masked and row.marker and "Ada" not in row.customization
    assert (row.images, names(files), outcomes()) == ([], [], [])


def test_nothing_is_written_once_the_erasure_has_begun(world, settings, files, monkeypatch):
    row = waiting(serve(world, settings, zipped(tree(image("a.png")), a__png=picture())))
    _meanwhile(monkeypatch, lambda: Order.objects.update(pii_state=Order.PiiState.REDACTING))
    fetch()
    assert (row_of(row).state, row_of(row).images, names(files)) == (State.WAITING, [], [])


def test_a_newer_address_counts(world, settings, files, monkeypatch):
    row = waiting(serve(world, settings, zipped(tree(text("old")))))
    newer = serve(world, settings, zipped(tree(text("new"))), "https://zme-caps.amazon.com/t/two")
    _meanwhile(
        monkeypatch, lambda: rewrite(ItemPersonalData.objects, customized_url=newer, next_attempt_at=clock.now())
    )
    fetch()
    monkeypatch.undo()
    fetch()
    assert [entry["value"] for entry in content.read(row_of(row))] == ["new"]


def test_two_sweeps_at_once_fetch_once(world, settings, monkeypatch):
    row = waiting(serve(world, settings, zipped(GOOD)))
    seen = []
    _meanwhile(monkeypatch, lambda: seen.append(fetching.fetch_due(now=clock.now(), budget_s=5).sentence()))
    fetch()
    assert seen == ["0 fetched, 0 refused, 0 failed, 0 later"]
    assert (row_of(row).state, len(outcomes())) == (State.FETCHED, 1)


# --- cost


def test_a_sweep_costs_a_constant_number_of_statements_a_line(world, settings):
    def cost(count: int) -> int:
        for number in range(count):
            url = serve(world, settings, zipped(GOOD), f"https://zme-caps.amazon.com/t/{count}-{number}")
            waiting(url)
        with CaptureQueriesContext(connection) as seen:
            report = fetching.fetch_due(now=clock.now(), budget_s=60)
        assert report.counts["fetched"] == count
        return len(seen)

    one, three = cost(1), cost(3)
    assert (three - 2) == (one - 2) * 3  # two for the list of what is due
    assert one <= 16
    with CaptureQueriesContext(connection) as seen:
        fetching.fetch_due(now=clock.now(), budget_s=60)
    assert len(seen) == 2


def test_the_budget_ends_a_sweep_and_the_job_asks_for_the_next(world, settings):
    for number in range(3):
        waiting(serve(world, settings, zipped(GOOD), f"https://zme-caps.amazon.com/t/{number}"))
    report = fetching.fetch_due(now=clock.now(), budget_s=-1)
    assert (sum(report.counts.values()), report.more) == (0, True)


# --- what a client of the API tells


def test_r20_what_the_api_tells_stands_in_place_of_the_texts(world, settings, files):
    row = waiting(serve(world, settings, zipped(tree(text("old"), image("a.png")), a__png=picture())))
    fetch()
    content.keep(row.item, [{"label": "Name", "value": "Ada\x00"}, {"label": "empty", "value": ""}])
    assert [(e["label"], e["value"]) for e in content.read(row_of(row))] == [("Name", "Ada"), ("Photo", "me.png")]
    assert len(names(files)) == 1


def test_r20_the_api_writes_nothing_into_an_erased_order(world):
    from orderhub.errors import RuleViolation

    row = waiting("")
    Order.objects.update(redaction_due_at=clock.now())
    erasure.redact_due(now=clock.now())
    with pytest.raises(RuleViolation, match="erased"):
        content.keep(row.item, [{"label": "Name", "value": "Ada"}])
    assert "Ada" not in row_of(row).customization


def test_the_column_is_json(world, settings):
    row = waiting(serve(world, settings, zipped(tree(text("名入れ")))))
    fetch()
    assert json.loads(row_of(row).customization) == [{"label": "Name", "kind": "text", "value": "名入れ", "image": ""}]
