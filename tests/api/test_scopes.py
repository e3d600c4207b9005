"""The scope matrix: every operation of both APIs opens with its own scope, and with no other.

Two requests for each say so for all scopes: with the one alone it is let in, with all others together it is not.
docs/api-scopes.csv is the table people read.
"""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from orderhub.rest.scopes import SCOPES
from tests.api import surface
from tests.api.client import ApiClient
from tests.api.test_doors import basic
from tests.factories import make_key, make_store

pytestmark = pytest.mark.django_db
TABLE = Path(settings.BASE_DIR) / "docs" / "api-scopes.csv"
HEAD = "surface,method,path,scope"


@pytest.fixture
def keys():
    """Tokens by the scopes they have: one alone, and all but one."""
    store = make_store()
    tokens = {}
    for scope in SCOPES:
        tokens[scope, "alone"] = make_key(store, scopes=[scope])[1]
        tokens[scope, "others"] = make_key(store, scopes=set(SCOPES) - {scope})[1]
    return tokens


def test_every_native_operation_opens_with_its_scope_and_no_other(keys):
    wrong = []
    for operation in surface.native():
        alone = ApiClient(keys[operation.scope, "alone"]).send(operation.method, operation.url(), {})
        others = ApiClient(keys[operation.scope, "others"]).send(operation.method, operation.url(), {})
        if alone.status_code in {401, 403} or alone.status_code >= 500:
            wrong.append((operation, alone.status_code, alone.content[:200]))
        if others.status_code != 403 or others.json()["type"] != "urn:orderhub:problem:scope-missing":
            wrong.append((operation, others.status_code, others.content[:200]))
    assert not wrong


def test_every_operation_of_version_1_opens_with_its_scope_and_no_other(keys):
    wrong = []
    for operation in filter(lambda operation: operation.scope, surface.version_1()):
        for which in ("alone", "others"):
            answer = Client().generic(
                operation.method, operation.url(), b"{}", "application/json",
                headers=basic(keys[operation.scope, which]),
            )  # fmt: skip
            refused = answer.status_code == 403 and operation.scope in answer.json()["Message"]
            if refused == (which == "alone") or answer.status_code in {401, 500}:
                wrong.append((operation, which, answer.status_code, answer.content[:200]))
    assert not wrong


def test_only_facts_and_refusals_of_version_1_open_to_every_key(keys):
    open_to_all = [operation for operation in surface.version_1() if not operation.scope]
    for operation in open_to_all:
        answer = Client().generic(
            operation.method, operation.url(), b"", "application/json", headers=basic(keys["customers:read", "alone"])
        )  # fmt: skip
        assert answer.status_code in {200, 400, 501}, operation
    assert {operation.path.split("/")[2].lower() for operation in open_to_all if operation.method == "GET"} == {
        "carriers", "stores",
    }  # fmt: skip


def test_the_table_in_docs_lists_every_operation():
    rows = sorted(operation.row for operation in (*surface.native(), *surface.version_1()))
    assert TABLE.read_text().splitlines() == [HEAD, *rows], "\n".join([HEAD, *rows])


def test_no_scope_gives_out_scopes_features_users_or_retention():
    forbidden = ("key", "scope", "user", "grant", "feature", "retention", "role")
    assert not [name for name in SCOPES if any(word in name for word in forbidden)]
