"""docs/webhooks.md: its receiver works, and it names every event."""

import os
import re
import socket
import subprocess
import sys
import time

import pytest
from django.conf import settings

from orderhub import clock
from orderhub.webhooks import events, sending
from orderhub.webhooks.models import Delivery, State

TEXT = (settings.BASE_DIR / "docs" / "webhooks.md").read_text()


def test_every_event_is_in_the_table_with_its_scope():
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \|.*\| `([a-z_:]+)` \|$", TEXT, re.MULTILINE))
    assert rows == {code: events.scope_of(code) for code in events.NATIVE}


@pytest.mark.django_db
def test_the_receiver_of_the_docs_takes_what_is_genuine_once(db, endpoint, tmp_path):
    program = tmp_path / "receiver.py"
    program.write_text(re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    there = endpoint(url=f"http://127.0.0.1:{port}/")
    secret = {**os.environ, "SECRET": there.secret}
    running = subprocess.Popen(
        [sys.executable, str(program), str(port)], env=secret, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        with clock.at(clock.now(), frozen=False):  # the program has the system's time, and so has the message
            clock._clock.shift = clock.timedelta(0)  # no lead
            first = sending.ping(there, now=clock.now())
            Delivery.objects.update(state=State.WAITING, delivered_at=None)
            first.refresh_from_db()
            assert sending._claim(first, clock.now())
            assert sending._attempt(there, first, clock.now()).is_taken  # the same one again
            there.secret = "whsec_of_somebody_else"
            assert sending.ping(there, now=clock.now()).last_status == 403
    finally:
        running.terminate()
        out, _err = running.communicate(timeout=5)
    assert out.decode().split() == ["ping", "{}"]


def _wait_for(port: int) -> None:
    for _try in range(200):
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the receiver did not start")
