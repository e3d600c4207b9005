"""docs/shipstation-clients.md says of a step that it works where a script does it, and only there."""

import re
from pathlib import Path

from django.conf import settings

TEXT = (settings.BASE_DIR / "docs" / "shipstation-clients.md").read_text()
SCRIPTS = (
    "drive_shipstation.py", "drive_pyshipstation.py", "drive_api_wrapper.py", "drive_shipstation_node.mjs",
    "drive_node_shipstation.cjs",
)  # fmt: skip
GIVEN = {"drive_pyshipstation.py": {"create", "update"}}  # its steps are told it by the test
BETWEEN = {"held", "shipments that are orders"}  # a second look, and a call that does not do what its name says
OTHERWISE = {"cannot", "not tried"}


def steps_of(script: str) -> set[str]:
    source = (Path(__file__).parent / script).read_text()
    return GIVEN.get(script) or set(re.findall(r"step\(\s*[\"']([a-z ]+)[\"']", source)) - BETWEEN


def test_the_table_says_what_the_scripts_do():
    rows = re.findall(r"^\| `([a-z ]+)` \|[^|]*\|(.*)\|$", TEXT, re.MULTILINE)
    cells = {step: [cell.strip() for cell in rest.split("|")] for step, rest in rows}
    assert {cell for row in cells.values() for cell in row if not cell.startswith("works")} <= OTHERWISE
    for column, script in enumerate(SCRIPTS):
        works = {step for step, row in cells.items() if row[column].startswith("works")}
        assert works == steps_of(script), script
