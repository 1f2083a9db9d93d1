"""Real web processes on the test database, and sockets to them."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from websockets.sync.client import ClientConnection, connect

from tests.browser.driver import Site, database_url_of_tests, free_port


def make_site(folder: Path, **environment: str) -> Site:
    """Return a web process, not yet started, on a free port and the test database."""
    folder.mkdir(parents=True, exist_ok=True)
    env = {
        **os.environ,
        "DATABASE_URL": database_url_of_tests(),
        "QUADRAT_SECRET_KEY": settings.SECRET_KEY,
        "QUADRAT_VAR_DIR": str(folder),
        "QUADRAT_LOG_LEVEL": "WARNING",
        **environment,
    }
    return Site(f"http://127.0.0.1:{free_port()}", env, folder / "web.log")


@contextmanager
def running(folder: Path, count: int = 1) -> Iterator[list[Site]]:
    """Yield web processes that answer; stop them at the end."""
    sites = [make_site(folder / f"web{number}") for number in range(count)]
    try:
        for site in sites:
            site.start()
        yield sites
    finally:
        for site in sites:
            site.stop(kill=True)


def _connected(site: Site, buffer_bytes: int) -> socket.socket:
    address = urlsplit(site.url)
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)  # counts only before it is connected
    made.connect((address.hostname, address.port))
    return made


class Socket:
    """A program's socket on one layer: keeps what it received.

    Args:
        buffer_bytes: what the system takes in for a program that does not read; it would be megabytes.
    """

    def __init__(
        self, site: Site, layer: object, token: str | None, *, buffer_bytes: int | None = None, **options: Any
    ) -> None:
        url = f"{site.url.replace('http', 'ws')}/ws/layers/{layer}/"
        if buffer_bytes is not None:
            options["sock"] = _connected(site, buffer_bytes)
        protocols: Any = [] if token is None else [f"quadrat.token.{token}"]
        self.connection: ClientConnection = connect(url, subprotocols=protocols, max_size=None, legacy=True, **options)
        self.received: list[dict[str, Any]] = []

    def send(self, **message: Any) -> None:
        """Send one message."""
        self.connection.send(json.dumps(message))

    def next(self, kind: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """Return the next message of a kind, keeping the others."""
        return self.until(lambda message: message["type"] == kind, timeout_s)

    def until(self, wanted: Callable[[dict[str, Any]], bool], timeout_s: float = 10.0) -> dict[str, Any]:
        """Return the next message that is wanted, keeping the others.

        Raises:
            TimeoutError: none came in time.
        """
        end = time.monotonic() + timeout_s
        while True:
            message: dict[str, Any] = json.loads(self.connection.recv(timeout=max(0.01, end - time.monotonic())))
            self.received.append(message)
            if wanted(message):
                return message

    def rows(self) -> list[dict[str, Any]]:
        """Return the log rows received so far, in the order they came."""
        return [row for message in self.received if message["type"] == "edits" for row in message["edits"]]

    def read_to(self, seq: int, timeout_s: float = 20.0) -> list[dict[str, Any]]:
        """Return the log rows received, once number `seq` is among them."""
        if not self.rows() or self.rows()[-1]["seq"] < seq:
            self.until(lambda message: message["type"] == "edits" and message["edits"][-1]["seq"] >= seq, timeout_s)
        return self.rows()

    def closed_with(self, timeout_s: float = 10.0) -> int | None:
        """Return the code with which the server closed, after reading what came before."""
        from websockets.exceptions import ConnectionClosed

        end = time.monotonic() + timeout_s
        try:
            while True:
                self.received.append(json.loads(self.connection.recv(timeout=max(0.01, end - time.monotonic()))))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def close(self) -> None:
        """Close from this side."""
        self.connection.close()
