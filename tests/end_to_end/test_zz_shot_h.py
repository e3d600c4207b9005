import subprocess
import pytest
from tests.factories import make_store, make_user
from orders.models import SkippedOrder
from privacy import access
from orderhub import clock
@pytest.mark.django_db(transaction=True)
def test_shot(live_server, client):
    store = make_store()
    for n, r in enumerate(["afn_off"] * 7 + ["not_physical"] * 2):
        SkippedOrder.objects.create(store=store, order_number=f"111-{n:07d}-0000000", reason=r, seen_at=clock.now())
    client.force_login(make_user(access.SUPPORT))
    subprocess.run(["/tmp/shots/bin/python", "/tmp/h/shot.py", f"{live_server.url}/admin/stores/store/{store.pk}/change/", client.cookies["sessionid"].value, "/tmp/shots4/imports.png"], check=True)
