"""Connections to other servers: the name is looked up once, its addresses are checked, and one of those is connected
to. A name that leads elsewhere a moment later (DNS rebinding) gains nothing."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any

import httpcore
from httpcore import SOCKET_OPTION

from webapp.remote import policy

# Seconds for one connection; a server that is there answers in a tenth of one.
CONNECT_S = 5.0
# Addresses of one name that are tried.
MOST_ADDRESSES = 3
_resolver = ThreadPoolExecutor(4, thread_name_prefix="names")
_limit = threading.local()


class ForbiddenAddress(httpcore.ConnectError):
    """A server's name leads to an address that may not be connected to."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bound all that this thread reads and writes inside, drop by drop sent answers included."""
    before = getattr(_limit, "until", None)
    until = time.monotonic() + seconds
    _limit.until = until if before is None else min(until, before)
    try:
        yield
    finally:
        _limit.until = before


def left_s(most: float | None = None) -> float:
    """Return the seconds that are left to this thread, at most `most`.

    Raises:
        httpcore.ReadTimeout: none are.
    """
    until = getattr(_limit, "until", None)
    seconds = CONNECT_S if until is None else until - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout("the time for this answer is over")
    return float(seconds if most is None else min(seconds, most))


class Checked(httpcore.NetworkBackend):
    """Connects to servers whose addresses may be connected to."""

    def __init__(self) -> None:
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Return a connection to one of the server's addresses.

        Raises:
            ForbiddenAddress: one of them may not be connected to.
            httpcore.ConnectError, httpcore.ConnectTimeout: none answers.
        """
        private = policy.current().may_be_private(host if ":" not in host else f"[{host}]", port)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in _addresses(host, port, private=private)[:MOST_ADDRESSES]:
            try:
                return _Timed(self._plain.connect_tcp(address, port, left_s(CONNECT_S), None, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


def _addresses(host: str, port: int, *, private: bool) -> list[str]:
    looked_up = _resolver.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        rows = looked_up.result(timeout=left_s(CONNECT_S))
    except (OSError, UnicodeError) as error:
        if isinstance(error, TookTooLong):
            raise httpcore.ConnectTimeout(f"{host} was not looked up in time") from error
        raise httpcore.ConnectError(f"{host} has no address") from error
    found = list(dict.fromkeys(str(row[4][0]) for row in rows))
    # One bad address among good ones is a trick, too.
    if not all(policy.addressable(address, private=private) for address in found):
        raise ForbiddenAddress(f"{host} leads into a network that is not to be asked")
    return found


class _Timed(httpcore.NetworkStream):
    """A connection on which every single read and write keeps to the thread's deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come."""
        return self._inner.read(max_bytes, left_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        self._inner.write(buffer, left_s(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the connection, encrypted."""
        return _Timed(self._inner.start_tls(ssl_context, server_hostname, left_s(timeout)))

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection knows of itself."""
        return self._inner.get_extra_info(info)
