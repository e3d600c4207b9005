"""schemathesis against a running server: every operation as docs/openapi.json describes it, right and wrong.

`make test` tries what the description lists; `make faults` draws at random as well.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from orderhub.api import schema
from orders.models import Order, Tag
from tests.factories import make_key, make_order, make_shipment, make_store
from tests.orders.entries import make_manual_store
from tests.orders.goods import make_product

RUN = Path(sys.executable).with_name("schemathesis")
# Not asked: that whatever fits the description is taken (an order may be on hold, or not be there), and what HTTP says of
# methods nobody describes
NOT_ASKED = "positive_data_acceptance,unsupported_method"
KNOWN_ID = '[parameters]\n"path.id" = 1\n'


def run(url: str, token: str, folder: Path, *options: str, config: str = "") -> str:
    (folder / "schemathesis.toml").write_text(config)
    (folder / "openapi.json").write_text(json.dumps(schema.document()))
    done = subprocess.run(
        [RUN, "run", "openapi.json", "--url", url, "--header", f"Authorization: Bearer {token}", "--continue-on-failure",
         "--checks", "all", *options],
        cwd=folder, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def served(transactional_db, live_server):
    """A shop with a little of everything; (address, token)."""
    store, manual = make_store(), make_manual_store()
    for number in range(6):
        order = make_order(store, lines=2)
        make_product(store, sku=f"S-{number}")
        if number % 3 == 1:
            make_shipment(order, tracking_number=f"1Z999AA10123456{number:03d}")
    Tag.objects.create(name="Fragile")
    Order.objects.filter(pk=order.pk).update(status="on_hold", hold_reason="To be checked")
    return live_server.url, make_key(store, manual)[1]


@pytest.mark.long
def test_every_operation_is_as_it_is_described(served, tmp_path):
    told = run(*served, tmp_path, "--phases", "coverage", "--exclude-checks", NOT_ASKED, "--generation-deterministic")
    assert int(re.search(r"(\d+) generated", told)[1]) > 1000


@pytest.mark.long
def test_no_request_drawn_at_random_breaks_one(served, tmp_path):
    """Ids that are there, so that more than “not found” is met; a wrong id is then never sent."""
    told = run(
        *served, tmp_path, "--phases", "fuzzing", "--max-examples", "30", "--max-time", "400", "--seed", "7",
        "--exclude-checks", f"{NOT_ASKED},negative_data_rejection", config=KNOWN_ID,
    )  # fmt: skip
    assert int(re.search(r"(\d+) generated", told)[1]) > 500


def test_some_operations_are_as_they_are_described(served, tmp_path):
    told = run(
        *served, tmp_path, "--phases", "coverage", "--include-operation-id", "tags_list", "--include-operation-id",
        "orders_tag", "--exclude-checks", NOT_ASKED, "--generation-deterministic",
    )  # fmt: skip
    assert int(re.search(r"(\d+) generated", told)[1]) > 30
