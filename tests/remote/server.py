"""A small HTTP server on this machine that gives parts of files, well or badly."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from webapp.remote import client, files, policy
from webapp.remote.policy import Origin, Policy


@dataclass
class Site:
    """What the server has and how it behaves.

    Attributes:
        files: path -> bytes.
        redirects: path -> where it leads.
        manner: "" gives parts; "whole" ignores Range; "cut" breaks off in the middle; "stall" sends nothing;
            "drip" sends a byte now and then; "wrong" sends another part; "tired" closes a connection that was kept
            when the next request comes; any number is answered as a status.
        log: (path, Range, bytes sent) of each request.
        headers: what each request carried.
        validators: files have an ETag.
        latency_s: that every answer takes.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    manner: str = ""
    log: list[tuple[str, str, int]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    validators: bool = True
    latency_s: float = 0.0
    port: int = 0
    going: threading.Event = field(default_factory=threading.Event)

    def reset(self) -> None:
        """Behave as at first, with no files."""
        self.files, self.redirects, self.manner, self.validators, self.latency_s = {}, {}, "", True, 0.0
        self.going.set()
        self.going = threading.Event()
        self.log.clear()
        self.headers.clear()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"{self.origin}/{path}"

    @property
    def sent(self) -> int:
        """Bytes of files that were sent since the log was cleared."""
        return sum(row[2] for row in self.log)


class _Server(ThreadingHTTPServer):
    """A server whose kept connections end with it, as they do when a process ends."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            # The thread that serves it closes it; perhaps it has by now.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *args: object) -> None:
        return None  # a client that has left


@contextmanager
def serving(port: int = 0) -> Iterator[Site]:
    """Yield a site that is served until the end, on a port of its own or on a given one; nothing answers after that."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        kept = False

        def do_GET(self) -> None:
            if self.kept and site.manner == "tired":
                self.close_connection = True
                return
            self.kept = True
            answer(self, site)

        def log_message(self, *args: object) -> None:
            return None

    server = _Server(("127.0.0.1", port), Handler)
    site.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield site
    finally:
        site.going.set()
        server.shutdown()
        server.server_close()


def answer(request: BaseHTTPRequestHandler, site: Site) -> None:
    if site.latency_s:
        site.going.wait(site.latency_s)
    path = request.path.partition("?")[0].lstrip("/")
    wanted = request.headers.get("Range", "")
    site.headers.append({name.lower(): value for name, value in request.headers.items()})
    if path in site.redirects:
        return _send(request, 302, b"", {"Location": site.redirects[path]})
    if site.manner.isdigit():
        return _send(request, int(site.manner), b"no", {})
    if site.manner == "stall":
        site.going.wait(30)
        request.close_connection = True
        return None
    if path not in site.files:
        return _send(request, 404, b"", {})
    data = site.files[path]
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
    headers = {"ETag": f'"{sha256(data).hexdigest()[:16]}"'} if site.validators else {}
    if found is None or site.manner == "whole":
        site.log.append((path, wanted, len(data)))
        return _send(request, 200, data, headers, site=site)
    first, last = int(found[1]), min(len(data) - 1, int(found[2] or len(data) - 1))
    if first >= len(data):
        return _send(request, 416, b"", {"Content-Range": f"bytes */{len(data)}"})
    if site.manner == "wrong":
        first, last = first + 1, last + 1
    headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    part = data[first : last + 1]
    site.log.append((path, wanted, len(part)))
    return _send(request, 206, part, headers, site=site)


def _send(
    request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str], site: Site | None = None
) -> None:
    request.send_response(status)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        request.send_header(name, value)
    request.end_headers()
    manner = site.manner if site else ""
    try:
        if manner == "drip" and site is not None:
            for at in range(len(body)):
                request.wfile.write(body[at : at + 1])
                if site.going.wait(0.05):
                    break
        else:
            request.wfile.write(body[: len(body) // 2] if manner == "cut" else body)
    except OSError:
        pass
    if manner in ("cut", "drip"):
        request.close_connection = True


@contextmanager
def allowed(site: Site, *, timeout_s: float = 20.0, also: tuple[str, ...] = ()) -> Iterator[None]:
    """Let this process ask the site for a while, and forget all that it was told."""
    origins = (Origin.parse(site.origin, private=True), *(Origin.parse(text) for text in also))
    before = policy.configure(Policy(origins, timeout_s=timeout_s))
    try:
        yield
    finally:
        policy.configure(before)
        client.forget()
        files.forget()


@contextmanager
def hurried(timeout_s: float = 0.4) -> Iterator[float]:
    """Wait no longer for an answer for a while: for servers that give none."""
    before = policy.configure(replace(policy.current(), timeout_s=timeout_s))
    try:
        yield timeout_s
    finally:
        policy.configure(before)
