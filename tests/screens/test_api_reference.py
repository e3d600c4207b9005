"""The page that describes the API, and the same as a file for programs."""

import pytest

from orderhub.api import schema
from privacy import access
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_the_page_names_every_operation_and_its_scope(client):
    client.force_login(make_user(access.SUPPORT))
    page = client.get("/admin/api-reference/").content.decode()
    document = schema.document()
    for path, operations in document["paths"].items():
        assert f"<code>{path}</code>" in page
        for method, operation in operations.items():
            assert f'id="{operation["operationId"]}"' in page, (method, path)
            assert f"<code>{operation['x-scope']}</code>" in page


def test_b40_nobody_else_reads_it(client):
    assert client.get("/admin/api-reference/").status_code == 302
    assert client.get("/admin/api-reference/openapi.json").status_code == 302
    assert client.get("/api/v1/openapi.json").status_code == 401


def test_the_file_in_docs_is_what_the_code_says():
    assert schema.COMMITTED.read_text() == schema.text(), "run `manage.py openapi`"


def test_every_operation_says_its_scope_and_its_refusals():
    for path, operations in schema.document()["paths"].items():
        for method, operation in operations.items():
            assert operation["x-scope"], (method, path)
            assert {"401", "403", "429"} <= set(operation["responses"]), (method, path)
