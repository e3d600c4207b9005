"""What is installed is what was looked at; and none of our code opens a door the rest of the tests keep shut."""

import ast
import functools
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from django.urls import get_resolver
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {"requirements.txt": "requirements.in", "requirements-dev.txt": "requirements-dev.in"}
APPS = ("orderhub", "orders", "privacy", "shipments", "stores")
OWN = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts]


def entries(name: str) -> list[str]:
    """The requirements of a lock, each with its hashes, on one line."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / name).read_text())
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


# -- B39


@pytest.mark.parametrize("name", LOCKS)
def test_b39_every_package_is_pinned_to_one_version_and_its_hashes(name):
    found = entries(name)
    assert len(found) > 15
    for entry in found:
        wanted, *hashes = entry.split(" --hash=")
        requirement = Requirement(wanted.strip())
        assert [part.operator for part in requirement.specifier] == ["=="], entry
        assert "*" not in str(requirement.specifier) and requirement.url is None
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", each.strip()) for each in hashes), entry


@pytest.mark.parametrize(("name", "asked"), LOCKS.items())
def test_b39_what_we_ask_for_is_locked_and_nothing_comes_from_elsewhere(name, asked):
    lines = [line.split("#")[0].strip() for line in (ROOT / asked).read_text().splitlines()]
    wishes = [Requirement(line) for line in lines if line and not line.startswith("-")]
    locked = {canonicalize_name(Requirement(entry.split(" --hash=")[0].strip()).name) for entry in entries(name)}
    assert wishes and {canonicalize_name(wish.name) for wish in wishes} <= locked
    assert all(wish.url is None for wish in wishes) and {line for line in lines if line.startswith("-")} <= {
        "-r requirements.in"
    }
    assert not re.search(r"index-url|find-links|trusted-host|editable|git\+|://", "\n".join(entries(name)))


def test_b39_what_runs_here_is_what_is_locked():
    compared = 0
    for entry in entries("requirements-dev.txt"):
        requirement = Requirement(entry.split(" --hash=")[0].strip())
        if requirement.marker is None or requirement.marker.evaluate():
            try:
                assert requirement.specifier.contains(version(requirement.name)), requirement.name
            except PackageNotFoundError:
                pytest.fail(f"{requirement.name} is not installed")
            compared += 1
    assert compared > 20


def test_b39_packages_are_installed_with_their_hashes_only():
    scripts = [ROOT / "Makefile", *(path for path in (ROOT / ".ci").glob("*") if path.is_file())]
    lines = [
        line for path in scripts for line in path.read_text().splitlines() if re.search(r"\bpip\b.*\binstall\b", line)
    ]
    assert lines and all("--require-hashes" in line for line in lines)


# -- what no module of ours does


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    wanted = ast.Call | ast.Import | ast.ImportFrom | ast.Name | ast.Attribute
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, wanted)]


def calls(path: Path) -> set[str]:
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.Call):
            name = node.func
            found.add(name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", ""))
    return found


def imports(path: Path) -> set[str]:
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def using(names: set[str], of=imports) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in OWN if names & of(path)}


def test_b10_xml_from_outside_is_read_by_one_module_and_by_the_careful_parser_only():
    parsers = {
        "xml.etree.ElementTree", "xml.etree", "xml.sax", "xml.dom", "xml.dom.minidom", "xml.parsers.expat", "lxml",
        "lxml.etree", "html5lib", "bs4", "xmltodict", "defusedxml", "defusedxml.ElementTree",
    }  # fmt: skip
    assert using(parsers) == {"stores/connectors/amazon/feeds.py", "stores/simulator/feed_messages.py"}
    read = [node for node in nodes(ROOT / "stores/connectors/amazon/feeds.py") if isinstance(node, ast.Attribute)]
    used = {node.attr for node in read if getattr(node.value, "id", "") == "ET"}
    assert used <= {"Element", "SubElement", "tostring", "ParseError"}


def test_b21_nothing_of_ours_loads_a_pickle_or_runs_a_text():
    loaders = {"pickle", "dill", "shelve", "marshal", "yaml", "joblib", "cloudpickle", "jsonpickle", "picklefield"}
    assert using(loaders) == {"privacy/scanner/hiding.py"}  # writes them, to see that they are found
    assert "pickle.load" not in (ROOT / "privacy/scanner/hiding.py").read_text()
    assert using({"eval", "exec", "__import__"}, calls) == set()
    assert using({"django_q.models.Task", "django_q.models.Success", "django_q.models.Failure"}) == {
        "orderhub/admin.py", "orderhub/housekeeping/jobs.py",
    }  # fmt: skip


def test_b33_no_template_is_made_from_a_text():
    assert using({"Template", "from_string", "Environment"}, calls) == set()
    assert using({"jinja2", "string.Template", "django.template.Template", "django.template.Engine"}) == set()


def test_b41_nobody_outside_can_tell_us_anything():
    """No address takes what a carrier or a marketplace sends: what we know of a parcel, we asked for ourselves."""
    routes = {str(pattern.pattern) for pattern in get_resolver().url_patterns}
    assert routes == {
        "", "healthz", "language/", "account/second-factor/", "account/second-factor/key.svg", "account/second-factor/code/",
        "account/confirm/", "admin/logout/", "admin/",
        "api/v1/", "api/", "api/<path:rest>", "shipstation", "shipstation/",  # clients with a key
    }  # fmt: skip
    assert using({"csrf_exempt"}, names) == {
        "orders/admin_files.py",  # csrf_protect follows once the size is known
        "orderhub/shipstation/dispatching.py",  # a key in a header, never a cookie
    }


def names(path: Path) -> set[str]:
    return {node.id for node in nodes(path) if isinstance(node, ast.Name)}
