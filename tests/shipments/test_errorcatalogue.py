"""The catalogue of errors: complete, reachable, and R56's four remedies word for word."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import urllib3

from shipments import errorcatalogue, mirroring, mirrorplan, mirrorwords, settling
from shipments.errorcatalogue import AMAZON, BIGCOMMERCE, ENTRIES, EVERYTHING, OTHER, Kind, Who
from shipments.models import ShipmentNotification
from stores.connectors.bigcommerce.client import THROTTLED

ROOT = Path(__file__).resolve().parents[2]
SPEAKS_CODES = ("orderhub/http.py", "stores/throttle.py", "stores/connectors/**/*.py", "shipments/*.py")
FAILS = {"fail", "let_go"}  # functions whose text arguments are codes
OF_OTHERS = {  # codes that no notice, submission or purchase ever keeps
    "HoldEnded",
}


def test_r56_a_rejected_feed_is_a_problem_of_the_account_with_these_four_remedies():
    entry = errorcatalogue.find("InternalServiceError")
    assert (entry.kind, entry.who) == (Kind.ACCOUNT, Who.SELLER)
    assert [str(step.text) for step in entry.steps] == [
        "Retry the failed steps, or notify the marketplace again.",
        "Configure the store again, then retry.",
        "Make sure that the seller's payment method is valid and that no payment is overdue.",
        "Contact Amazon.",
    ]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("InternalServiceError", ""), ("FeedRejected", ""), ("Rejected", ""), ("InvalidInput", "InternalServiceError: try later"),
        ("", "Feed rejected."), ("90002", "Error: feed rejected by the service"), ("nonsense", "Flux rejeté"),
    ],
)  # fmt: skip
def test_r56_it_is_known_by_its_code_and_by_its_text_alone(code, text):
    assert errorcatalogue.find(code, text).key == "billing"


@pytest.mark.parametrize("entry", EVERYTHING, ids=lambda entry: entry.key)
def test_every_entry_says_what_it_means_who_acts_and_what_to_do(entry):
    assert 3 <= len(entry.steps) <= 6
    assert str(entry.meaning).endswith(".") and all(str(step.text).endswith(".") for step in entry.steps)
    assert entry.kind in Kind.values and entry.who in Who.values
    assert entry.codes or entry.said or entry is OTHER


def test_keys_and_step_codes_are_unique():
    keys = [entry.key for entry in EVERYTHING]
    steps = [step.code for entry in EVERYTHING for step in entry.steps]
    assert len(keys) == len(set(keys)) and len(steps) == len(set(steps))
    named = [(entry.channel, code.lower()) for entry in ENTRIES for code in entry.codes]
    assert len(named) == len(set(named))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.key)
def test_every_entry_is_reached_by_its_codes_and_by_its_words(entry):
    channel = entry.channel or AMAZON
    assert {errorcatalogue.find(code, channel=channel) for code in entry.codes} <= {entry}
    assert {errorcatalogue.find("InvalidInput", f"It says {words}!", channel=channel) for words in entry.said} <= {
        entry
    }


@pytest.mark.parametrize("channel", [AMAZON, BIGCOMMERCE])
def test_every_status_means_something_for_both_marketplaces(channel):
    assert not [status for status in range(200, 600) if errorcatalogue.find(str(status), channel=channel) is OTHER]


def test_one_status_means_different_things_at_different_marketplaces():
    assert errorcatalogue.find("401", channel=BIGCOMMERCE).key == "shop-token"
    assert errorcatalogue.find("401").key == "no-reason"  # without Amazon's list of errors, who knows who spoke


def test_an_unknown_code_gets_the_general_entry():
    for code in ("", "Surprise", "90009", "x" * 60):
        assert errorcatalogue.find(code) is OTHER


def _codes(path: Path) -> Iterator[str]:
    """Every text of ours that a source file puts into a `code` or an `error_code`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            named = [word.value for word in node.keywords if word.arg in {"code", "error_code"}]
            if getattr(node.func, "id", getattr(node.func, "attr", "")) in FAILS:
                named += node.args
        elif isinstance(node, ast.Dict):
            named = [
                value for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and key.value == "error_code"
            ]  # fmt: skip
        else:
            continue
        for value in named:
            yield from _texts(value)


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _texts(part)


def test_every_code_our_own_sources_write_is_in_the_catalogue():
    found = {
        code for pattern in SPEAKS_CODES for path in ROOT.glob(pattern) if "migrations" not in path.parts
        for code in _codes(path)
    } - OF_OTHERS  # fmt: skip
    assert {"BucketEmpty", "Poison", "UnreadableAnswer", "BadPath", "FeedsNotAllowed", "FeedStuck"} <= found
    channels = (AMAZON, BIGCOMMERCE)
    assert not {code for code in found if all(errorcatalogue.find(code, channel=whose) is OTHER for whose in channels)}


def test_codes_kept_as_constants_are_in_the_catalogue():
    codes = {
        *settling.WORDS,
        *ShipmentNotification.WITHHELD,
        "time limit",
        "FeedFatal",
        "FeedCancelled",
        "SignInUnclear",
    }
    assert not {code for code in codes if errorcatalogue.find(code) is OTHER}
    codes = {
        *mirrorwords.REASONS,
        mirroring.SAID + "400",
        mirroring.SAID + "422",
        *mirrorplan.REFUSALS.values(),
        THROTTLED,
    }
    assert not {code for code in codes if errorcatalogue.find(code, channel=BIGCOMMERCE) is OTHER}


def _below(kind: type) -> set[type]:
    return {kind} | {found for below in kind.__subclasses__() for found in _below(below)}


@pytest.mark.parametrize("base", [requests.RequestException, urllib3.exceptions.HTTPError, OSError])
def test_every_way_a_connection_breaks_is_in_the_catalogue(base):
    """The HTTP client keeps the class of what broke as the code."""
    standard = ("requests", "urllib3", "socket", "ssl")
    names = {found.__name__ for found in _below(base) if found.__module__.partition(".")[0] in standard} | {"OSError"}
    assert not {name for name in names if errorcatalogue.find(name) is OTHER}


def test_entries_are_searched_by_code_and_by_words():
    assert [entry.key for entry in errorcatalogue.by_code_or_words("QuotaExceeded")] == ["throttled"]
    assert [entry.key for entry in errorcatalogue.by_code_or_words("401")] == ["no-reason", "shop-token"]
    assert "billing" in {entry.key for entry in errorcatalogue.by_code_or_words("payment overdue")}
    assert errorcatalogue.by_code_or_words("") == list(EVERYTHING)
    assert errorcatalogue.by_code_or_words("no such thing anywhere") == []
