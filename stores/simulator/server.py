"""Serves a world on loopback: in a thread for tests and the demo, or `python -m stores.simulator.server`."""

import argparse
import contextlib
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from stores.simulator import scenarios
from stores.simulator.amazon import AmazonApp
from stores.simulator.transport import ENVIRON_KEY, Transport
from stores.simulator.world import World


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int]) -> None:
        self.stopping = threading.Event()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # Not the parent's: it looks the host name up, which takes seconds on a machine without a resolver.
        self.allow_reuse_address = True
        socket.socket.setsockopt(self.socket, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not self.stopping.is_set():
            super().handle_error(request, client_address)


class _Handler(WSGIRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: request lines carry parameters."""

    def address_string(self) -> str:
        return self.client_address[0]

    def handle(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if len(self.raw_requestline) > 65536:
            self.requestline = self.request_version = self.command = ""
            self.send_error(414)
        elif self.raw_requestline and self.parse_request():
            self._serve()

    def _serve(self) -> None:
        plan = Transport()
        environ = self.get_environ() | {
            "wsgi.input": self.rfile,
            "wsgi.url_scheme": "http",
            ENVIRON_KEY: plan,
        }
        head, body = _called(self.server.get_app(), environ)
        try:
            self._transmit(plan, head, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the caller gave up, as callers do under faults

    def _transmit(self, plan: Transport, head: bytes, body: bytes) -> None:
        options = plan.options
        match plan.kind:
            case "timeout":
                self.server.stopping.wait(options.get("seconds", 30))
            case "cut":
                count = int(options.get("bytes", 0))
                self.wfile.write((head + body)[:count] if options.get("head") else head + body[:count])
            case "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            case "slow":
                self._drip(head + body, float(options.get("rate", 1)))
            case _:
                self.wfile.write(head + body)

    def _drip(self, data: bytes, rate: float) -> None:
        """`rate` bytes a second, a tenth of a second or a byte at a time."""
        step = max(1, int(rate / 10))
        for start in range(0, len(data), step):
            self.wfile.write(data[start : start + step])
            if self.server.stopping.wait(step / rate):
                return


def _called(app: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> tuple[bytes, bytes]:
    """The app's answer as bytes: head and body."""
    said: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        said[:] = [status, headers]

    body = b"".join(app(environ, start_response))
    lines = [f"HTTP/1.1 {said[0]}", *(f"{name}: {value}" for name, value in said[1]), "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), body


class RunningServer:
    """A world under `base_url` until the `with` block ends."""

    def __init__(self, world: World, port: int = 0, host: str = "127.0.0.1") -> None:
        self.world = world
        self._server = _Server((host, port))
        self._server.set_app(AmazonApp(world))
        self.port = self._server.server_port
        self.base_url = world.files_url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "RunningServer":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def wait(self) -> None:
        self._thread.join()


def serve(world: World, port: int = 0) -> RunningServer:
    """`with serve(world) as server: server.base_url`. Loopback only; port 0 takes a free one."""
    return RunningServer(world, port)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Serve a simulated Amazon on loopback.")
    parser.add_argument("--port", type=int, default=8787)
    parser.add_argument("--scenario", choices=sorted(scenarios.NAMED), default="demo")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(arguments)
    world = scenarios.NAMED[given.scenario](now=datetime.now(UTC), seed=given.seed)
    with serve(world, given.port) as server:
        sys.stdout.write(f"{given.scenario} on {server.base_url}\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            server.wait()


if __name__ == "__main__":
    main()
