"""The whole product on this machine: simulator, web server, two worker clusters, and a shop with a past."""

import contextlib
import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from orderhub import localpostgres
from orderhub.demo.processes import ROOT, Children, free_port, stopping_on_signals, wait_for
from stores.simulator import scenarios

DEFAULT = ROOT / "var" / "demo"
MARKER = ".orderhub-demo"
MOST_PORT = 64_000  # the simulator takes one 800 above
WORKERS = 2  # an idle worker killed by the system can hang its cluster; the other goes on


class Command(BaseCommand):
    help = "Run OrderHub with demonstration data against the built-in Amazon simulator, until Ctrl-C."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="run the main job once, print the figures, stop")
        parser.add_argument("--db", choices=["sqlite", "postgres"], default="sqlite")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *, once: bool, db: str, port: int, **options):
        if settings.PRODUCTION:
            raise CommandError(
                "This is a production installation: the demonstration would not touch it, and does not start."
            )
        if not 1024 <= port <= MOST_PORT:
            raise CommandError(f"Choose a port from 1024 to {MOST_PORT}.")
        folder = Path(os.environ.get("DEMO_DIR") or DEFAULT).resolve()
        with contextlib.ExitStack() as stack:
            stack.enter_context(_alone_in(folder))
            _make_anew(folder)
            url = f"sqlite:///{folder / 'demo.sqlite3'}"
            if db == "postgres":
                url = stack.enter_context(localpostgres.running(env_var="DEMO_DATABASE_URL"))
            sys.exit(self._run(folder, url, once=once, wanted_port=port))

    def _run(self, folder: Path, url: str, *, once: bool, wanted_port: int) -> int:
        started = time.time()
        web, amazon = free_port(wanted_port), free_port(wanted_port + 800)
        if web != wanted_port:
            self.stdout.write(f"Port {wanted_port} is in use: OrderHub takes {web}.")
        children = Children(_environment(folder, url, amazon), folder / "demo.log")
        code = 1
        try:
            with stopping_on_signals(children):
                code = self._play(children, folder, web=web, amazon=amazon, once=once, started=started)
        except KeyboardInterrupt:
            self.stdout.write("\nStopped.")
            return 0 if not once else 130
        return code

    def _play(self, children: Children, folder: Path, *, web: int, amazon: int, once: bool, started: float) -> int:
        children.start("-m", "stores.simulator.server", "--port", str(amazon), "--scenario", "demo")
        if not wait_for(f"http://127.0.0.1:{amazon}/__sim__/summary"):
            return self._broken(folder, "the Amazon simulator did not start")
        self.stdout.write("Amazon simulator runs; the shop lives through its last six weeks …")
        self.stdout.flush()
        story = ("manage.py", "demo_story", "--started", str(started))
        if children.run(*story, *(["--no-users"] if once else [])):
            return self._broken(folder, "the demonstration data could not be made")
        children.start("manage.py", "runserver", "--noreload", "--nostatic", f"127.0.0.1:{web}")
        for _worker in range(WORKERS):
            children.start("manage.py", "qcluster")
        if not wait_for(f"http://127.0.0.1:{web}/admin/login/"):
            return self._broken(folder, "the web server did not start")
        if not wait_for(f"http://127.0.0.1:{web}/healthz"):
            return self._broken(folder, "the workers did not start, or an erasure is overdue")
        if once:
            if children.run(*story, "--main-job") or children.fallen():
                return self._broken(folder, "the main job failed, or a process ended: " + ", ".join(children.fallen()))
            return self._report(folder)
        self.stdout.write(self.style.SUCCESS(f"\nOrderHub: http://127.0.0.1:{web}/admin/   (Ctrl-C stops everything)"))
        self.stdout.flush()
        while not children.fallen():
            time.sleep(1)
        return self._broken(folder, "a process ended: " + ", ".join(children.fallen()))

    def _report(self, folder: Path) -> int:
        from orderhub.demo.story import sound

        told = json.loads((folder / "figures.json").read_text())
        self.stdout.write(json.dumps(told, ensure_ascii=False))
        return 0 if sound(told) else 1

    def _broken(self, folder: Path, what: str) -> int:
        self.stderr.write(f"Demo: {what}. The last lines of {folder / 'demo.log'}:")
        with contextlib.suppress(OSError):
            self.stderr.write("\n".join((folder / "demo.log").read_text(errors="replace").splitlines()[-15:]))
        return 1


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder against a second demonstration, which would delete the first one's shop."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(
                f"A demonstration is already running in {folder}. Stop it with Ctrl-C first, or set DEMO_DIR to another folder."
            ) from None
        yield


def _make_anew(folder: Path) -> None:
    """The simulator forgets when it stops, so its shop starts anew too. Only a folder of ours is ever emptied."""
    marker = folder / MARKER
    if folder != DEFAULT and folder.exists() and any(folder.iterdir()) and not marker.exists():
        raise CommandError(f"{folder} holds other files, which the demonstration would delete. Name an empty folder.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    marker.write_text("OrderHub empties this folder at each start of the demonstration.\n")


def _environment(folder: Path, url: str, amazon: int) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR", "TZ"}}
    base_url = f"http://127.0.0.1:{amazon}"
    return inherited | {
        "ORDERHUB_ENV": "demo",
        "VAR_DIR": str(folder),
        "DATABASE_URL": url,
        "SPAPI_BASE_URL": base_url,
        "LWA_TOKEN_URL": f"{base_url}/auth/o2/token",
        "LWA_CLIENT_ID": scenarios.CLIENT_ID,
        "LWA_CLIENT_SECRET": scenarios.CLIENT_SECRET,
        "SPAPI_APPLICATION_ID": scenarios.APPLICATION_ID,
        "SPAPI_DEVELOPER_NAME": "OrderHub",
        "SELLER_CENTRAL_BASE_URL": base_url,
        "BIGCOMMERCE_BASE_URL": base_url,
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
    }
