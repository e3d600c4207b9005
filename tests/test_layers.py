"""Who may import whom, and what only one module may do. Read from the sources, so nothing can hide behind a test."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("orderhub", "privacy", "stores", "orders", "shipments", "tests", "templates")
APPS = ("privacy", "stores", "orders", "shipments")
LAYERS = ("foundation", "privacy", "stores", "orders", "shipments", "wiring", "tests")  # each imports earlier ones
WIRING = {  # of orderhub; whatever else is in there is foundation and imports no app
    "settings", "checks", "urls", "views", "dashboard", "api", "apps", "personal_data", "housekeeping", "management",
    "demo", "shipstation", "search", "ledger", "signin", "webhooks",
}  # fmt: skip
GOES_OUT = {"requests", "urllib3", "urllib.request", "http.client", "socket", "httpx", "aiohttp", "ftplib", "smtplib"}
MAY_GO_OUT = {
    "orderhub/http.py": "the one way out",
    "orderhub/localpostgres.py": "asks for a free port and whether the database answers on this machine",
    "orderhub/demo/processes.py": "asks for free ports and waits for the demo's own processes, on this machine",
}


@cache
def sources(*suffixes: str) -> tuple[tuple[str, str], ...]:
    """(path, text) of our own files, tests, migrations and fonts apart."""
    wanted = suffixes or (".py",)
    return tuple(
        (str(path.relative_to(ROOT)), path.read_text())
        for folder in FOLDERS
        if folder != "tests"
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in wanted and "migrations" not in path.parts
    )


@cache
def tree(path: str, text: str) -> ast.Module:
    return ast.parse(text, path)


def imports(path: str, text: str) -> Iterator[str]:
    """Every module named in an import, wherever in the file; relative ones made whole."""
    package = path.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(tree(path, text)):
        if isinstance(node, ast.Import):
            yield from (found.name for found in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            yield module
            yield from (f"{module}.{found.name}" for found in node.names)


def layer_of(module: str) -> str | None:
    parts = module.split(".")
    if parts[0] == "orderhub":
        return "wiring" if len(parts) > 1 and (parts[1] in WIRING or parts[1].startswith("admin")) else "foundation"
    return parts[0] if parts[0] in LAYERS else None


def layer_of_file(path: str) -> str:
    return layer_of(path.removesuffix(".py").replace("/", ".")) or ""


def test_an_app_imports_to_its_right_only():
    wrong = [
        f"{path} imports {module}"
        for path, text in sources()
        for module in imports(path, text)
        if (found := layer_of(module)) and LAYERS.index(found) > LAYERS.index(layer_of_file(path))
    ]
    assert wrong == []


def test_every_app_is_looked_at():
    seen = {layer_of_file(path) for path, _text in sources()}
    assert seen == {"foundation", *APPS, "wiring"}
    assert len(sources()) > 60


def test_the_walk_sees_an_import_wherever_it_stands():
    text = "def f():\n    from orders.models import Order\n    import shipments.jobs\nfrom .. import models\n"
    assert set(imports("stores/connectors/x.py", text)) >= {
        "orders.models",
        "shipments.jobs",
        "stores",
        "stores.models",
    }


def test_the_simulator_knows_nothing_of_ours():
    allowed = {*sys.stdlib_module_names}
    wrong = [
        f"{path} imports {module}"
        for path, text in sources()
        if path.startswith("stores/simulator/")
        for module in imports(path, text)
        if module.split(".")[0] not in allowed and not module.startswith("stores.simulator")
    ]
    assert wrong == []


def test_connectors_and_labels_and_scanner_know_no_models():
    pure = ("stores/connectors/", "shipments/labels/", "privacy/scanner/", "privacy/retention.py", "privacy/markers.py")
    wrong = [
        f"{path} imports {module}"
        for path, text in sources()
        if path.startswith(pure)
        for module in imports(path, text)
        if module.startswith("django.db") or module.endswith(".models")
    ]
    assert wrong == []


def test_one_module_reaches_out():
    """The simulator is a server for tests and demo and lives on loopback; the others say why in MAY_GO_OUT."""
    wrong = [
        f"{path} imports {module}"
        for path, text in sources()
        if path not in MAY_GO_OUT and not path.startswith("stores/simulator/")
        for module in imports(path, text)
        if any(module == name or module.startswith(f"{name}.") for name in GOES_OUT)
    ]
    assert wrong == []


@pytest.mark.parametrize("forbidden", ["mark_safe", "SafeString(", "html_safe", "|safe", "autoescape off"])
def test_nothing_is_declared_safe_for_pages(forbidden):
    assert [path for path, text in sources(".py", ".html") if forbidden in text.replace("| safe", "|safe")] == []


def test_one_module_asks_for_the_time():
    """Log lines carry the record's own time. The rest of the list runs beside the product, not in it."""
    allowed = (
        "orderhub/clock.py", "orderhub/logs.py", "stores/simulator/", "orderhub/demo/",
        "orderhub/management/commands/demo.py", "orderhub/management/commands/bench.py",
    )  # fmt: skip
    calls = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "timezone.now", "timezone.localdate",
             "time.time", "timezone.localtime"}  # fmt: skip
    wrong = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, text in sources()
        if not path.startswith(allowed)
        for node in ast.walk(tree(path, text))
        if isinstance(node, ast.Attribute) and ".".join(ast.unparse(node).split(".")[-2:]) in calls
    ]
    assert wrong == []


def test_no_row_stamps_itself():
    words = ("auto_now", "NOW()", "CURRENT_TIMESTAMP", "functions.Now", "import Now")
    assert [f"{path}: {word}" for path, text in sources() for word in words if word in text] == []


def test_files_stay_readable_in_one_go():
    assert [path for path, text in sources() if text.count("\n") > 500] == []
