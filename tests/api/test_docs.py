"""The examples of docs/api.md and the partner's script, run as they stand there against a running server."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from orderhub import apikeys
from orders.models import ItemPersonalData, Order
from shipments.models import Shipment
from tests.factories import make_key, make_order, make_store
from tests.orders.entries import make_manual_store
from tests.shipstation.bodies import an_order

DOCS = Path(settings.BASE_DIR) / "docs"
EXAMPLES = dict(
    re.findall(r"<!-- run: (\w+) -->\n```\w+\n(.*?)```", (DOCS / "api.md").read_text(), re.DOTALL)
)  # fmt: skip


def run(command: list[str], **environment: str) -> str:
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def shop(transactional_db, live_server):
    """An Amazon store with one order, then a manual and a Handmade one; the ids are those the examples name."""
    order = make_order(make_store())
    stores = [order.store, make_manual_store(), make_manual_store("handmade")]
    return live_server.url, make_key(*stores)[1], order, stores


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples ask with curl, which is not installed here")
def test_the_examples_of_the_guide_work(shop):
    url, token, order, stores = shop
    given = {"ORDERHUB": url, "TOKEN": token}

    def curl(name: str) -> dict:
        text = (
            EXAMPLES[name]
            .replace("/orders/1", f"/orders/{order.pk}")
            .replace('"order_id": 1', f'"order_id": {order.pk}')
        )
        return json.loads(run(["sh", "-c", text.replace('"store_id": 2', f'"store_id": {stores[1].pk}')], **given))

    listed = curl("list")
    assert [set(row) for row in listed["results"]] == [{"id", "order_number", "ship_by"}] and listed["next"] is None
    made = curl("create")
    assert made["order_number"] == "W-1001" and curl("create")["id"] == made["id"]
    assert curl("patch")["weight_g"] == 750
    assert curl("ship")["labels"] and Shipment.objects.count() == 1
    told = run([sys.executable, "-c", EXAMPLES["python"]], **given).splitlines()
    assert sorted(told) == sorted([f"keep {order.pk} shipped", f"keep {made['id']} awaiting_shipment"])
    assert set(EXAMPLES) == {"list", "create", "patch", "ship", "python"}


def test_r20_the_partners_script_adds_details_and_enters_handmade_orders(shop, tmp_path):
    url, token, order, stores = shop
    key, secret = apikeys.basic_pair(token)
    given = {"ORDERHUB_URL": f"{url}/shipstation", "ORDERHUB_KEY": key, "ORDERHUB_SECRET": secret}
    script = [sys.executable, str(DOCS / "partner_custom_orders.py")]
    told = json.loads(
        run([*script, "details", order.order_number, "SKU-1", "Engraving=For Ada", "Font=Script"], **given)
    )
    assert told["items"][0]["options"] == [
        {"name": "Engraving", "value": "For Ada"},
        {"name": "Font", "value": "Script"},
    ]
    assert "For Ada" in ItemPersonalData.objects.get(item__order=order).customization
    (tmp_path / "order.json").write_text(json.dumps(an_order(advancedOptions={})))
    made = [json.loads(run([*script, "handmade", str(tmp_path / "order.json")], **given)) for _twice in range(2)]
    assert made[0]["orderId"] == made[1]["orderId"]
    entered = Order.objects.get(pk=made[0]["orderId"])
    assert (entered.store, entered.origin_marketplace) == (stores[2], "amazon")
    assert entered.items.get().options == [] and made[0]["items"][0]["options"] == [{"name": "Colour", "value": "Red"}]
