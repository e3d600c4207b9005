"""The simulator stands alone: standard library and itself, and not a trace of Django."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import stores.simulator

PACKAGE = "stores.simulator"
MODULES = sorted(Path(stores.simulator.__file__).parent.glob("*.py"))


def imported(source: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_a_module_imports_the_standard_library_and_the_simulator_only(module):
    foreign = {
        name
        for name in imported(module.read_text())
        if name.split(".")[0] not in sys.stdlib_module_names and not (name + ".").startswith(PACKAGE + ".")
    }
    assert foreign == set()


def test_it_runs_where_there_is_no_django():
    code = (
        "import sys; sys.modules['django'] = None\n"
        "from stores.simulator import amazon, scenarios, server\n"
        "assert not [n for n in sys.modules if n.split('.')[0] in ('orderhub', 'orders', 'shipments', 'privacy')]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(stores.__file__).parents[1], timeout=20)
