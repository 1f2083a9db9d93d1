"""The two networks of a chaos site: between people and site, and between site and database."""

import asyncio
import shutil
import socket
import tempfile
from functools import partial
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from tests.chaos.proxy import Proxy

PORT = 5432


class Network:
    """Between people and site, on a port of its own."""

    def __init__(self, site_url: str) -> None:
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.proxy = Proxy(listener, partial(asyncio.open_connection, "127.0.0.1", urlsplit(site_url).port))

    def stop(self) -> None:
        """End it."""
        self.proxy.stop()


class DatabaseNetwork:
    """Between site and database: a socket in a folder of its own, as PostgreSQL's."""

    def __init__(self, database: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="quadrat-net-"))
        found = urlsplit(database)
        user, _, place = found.netloc.rpartition("@")
        host, _, port = place.partition(":")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._folder / f".s.PGSQL.{PORT}"))
        listener.listen(512)
        host = unquote(host)
        if host.startswith("/"):
            self.proxy = Proxy(listener, partial(asyncio.open_unix_connection, f"{host}/.s.PGSQL.{port or PORT}"))
        else:
            self.proxy = Proxy(listener, partial(asyncio.open_connection, host or "127.0.0.1", int(port or PORT)))
        self.url = f"{found.scheme}://{user}@{quote(str(self._folder), safe='')}{found.path}"

    def stop(self) -> None:
        """End it."""
        self.proxy.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
