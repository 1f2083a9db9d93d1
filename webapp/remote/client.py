"""Asking another server: parts of a file, a small document, or all of a file. Every way out leads through here."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import httpcore

from webapp.errors import Invalid, SourceFailed, SourceSlow
from webapp.remote import network, policy
from webapp.remote.network import ForbiddenAddress
from webapp.remote.policy import Target
from webapp.remote.signing import signed

MOST_REDIRECTS = 3
REDIRECTS = {301, 302, 303, 307, 308}
# Seconds for which a server that did not answer is not asked again: every tile of a layer asks it.
REST_S = 5.0
MOST_CONNECTIONS = 32
KEPT_CONNECTIONS = 16
IDLE_S = 20.0
FIX_LATER = "Try again later, or ask whoever runs that server."
FIX_COPY = "Copy the file here instead of reading it there."
AGENT = "Quadrat"

_lock = threading.Lock()
_pool: tuple[int, httpcore.ConnectionPool] | None = None
_resting: dict[tuple[str, int], tuple[float, SourceFailed]] = {}


@dataclass(slots=True)
class Traffic:
    """What this process has asked of other servers since it began."""

    requests: int = 0
    bytes: int = 0


traffic = Traffic()


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        body: all of it, or empty where it is streamed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    target: Target = field(kw_only=True)


@contextmanager
def opened(
    url: str, headers: Mapping[str, str], *, seconds: float | None = None
) -> Iterator[tuple[Answer, Iterator[bytes]]]:
    """Yield a server's answer to a GET, and its bytes as they come; redirections are followed, each one checked.

    Args:
        url: http(s) or s3; checked here.
        headers: names in lower case.
        seconds: for all of it, the reading inside included; the policy's time for one answer where not given.

    Raises:
        Invalid: the server is not one that may be asked.
        SourceFailed: it cannot be reached, breaks off, or redirects to where we do not go.
        SourceSlow: the time is over.
    """
    target = policy.current().check(url)
    with network.deadline(seconds or policy.current().timeout_s):
        for _ in range(MOST_REDIRECTS + 1):
            with _answered(target, headers) as (answer, body):
                if answer.status not in REDIRECTS:
                    yield answer, body
                    return
                target = _onward(target, answer.headers.get("location", ""))
    raise SourceFailed(
        f"{target.host} redirects more than {MOST_REDIRECTS} times.",
        fix="Give the file's own address.",
        code="source_redirects",
    )


def get(url: str, headers: Mapping[str, str], *, most_bytes: int, seconds: float | None = None) -> Answer:
    """Return a server's whole answer to a GET.

    Raises:
        Invalid: the server is not one that may be asked.
        SourceFailed: see `opened`; or the answer is longer than `most_bytes`.
    """
    with opened(url, headers, seconds=seconds) as (answer, pieces):
        return Answer(answer.status, answer.headers, whole(answer, pieces, most_bytes), target=answer.target)


def whole(answer: Answer, pieces: Iterator[bytes], most_bytes: int) -> bytes:
    """Return all that an answer holds.

    Raises:
        SourceFailed: that is more than `most_bytes`.
    """
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > most_bytes:
            raise SourceFailed(
                f"{answer.target.host} sends more than the {most_bytes:,} bytes that are taken.",
                fix=FIX_LATER,
                code="source_too_long",
            )
    return bytes(body)


def refused(answer: Answer) -> SourceFailed:
    """Return the error for an answer that is not what was asked for."""
    name, host = answer.target.name[:120], answer.target.host
    if answer.status in (404, 410):
        return SourceFailed(f"{host} has no file '{name}'.", fix="Check the address.", code="source_missing")
    if answer.status in (401, 403):
        return SourceFailed(
            f"{host} does not give '{name}' to this site.",
            fix="Check the address. The link may have run out, or the file needs a key that the administrator sets.",
            code="source_denied",
        )
    if answer.status in (429, 503):
        return SourceFailed(f"{host} is too busy.", fix=FIX_LATER, code="source_busy")
    return SourceFailed(
        f"{host} answers {answer.status} for '{name}'.",
        fix=FIX_LATER,
        code="source_failed",
        details={"status": answer.status},
    )


def broken(host: str) -> SourceFailed:
    """Return the error for an answer that ended before it was whole."""
    return SourceFailed(f"{host} broke off in the middle of its answer.", fix=FIX_LATER, code="source_cut_off")


def forget() -> None:
    """Close all connections and forget which servers did not answer."""
    global _pool
    with _lock:
        found, _pool = _pool, None
        _resting.clear()
    if found is not None:
        found[1].close()


@contextmanager
def _answered(target: Target, headers: Mapping[str, str]) -> Iterator[tuple[Answer, Iterator[bytes]]]:
    """Yield one server's own answer."""
    key = (target.host, target.port)
    _check_resting(key)
    full = {"host": urlsplit(target.url).netloc, "accept-encoding": "identity", "user-agent": AGENT, **headers}
    if target.keys is not None:
        full = signed(target.url, full, region=target.region, keys=target.keys)
    try:
        with _sent(target, full) as response:
            _resting.pop(key, None)
            traffic.requests += 1
            names = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            yield Answer(response.status, names, target=target), _counted(response)
    except ForbiddenAddress as error:
        raise Invalid(
            f"Files of {target.host} are not read: its address lies in a network of this site's own.",
            fix="Ask the administrator to name it in QUADRAT_REMOTE_PRIVATE_HOSTS.",
            code="host_not_allowed",
            details={"setting": "QUADRAT_REMOTE_PRIVATE_HOSTS", "host": target.host},
        ) from error
    except httpcore.TimeoutException as error:
        raise _rest(key, SourceSlow(f"{target.host} did not answer in time.", fix=FIX_LATER)) from error
    except httpcore.ConnectError as error:
        why = " Its certificate is not trusted." if "CERTIFICATE" in str(error) else ""
        told = SourceFailed(f"{target.host} cannot be reached.{why}", fix=FIX_LATER, code="source_unreachable")
        raise _rest(key, told) from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise broken(target.host) from error


@contextmanager
def _sent(target: Target, headers: Mapping[str, str]) -> Iterator[httpcore.Response]:
    """Yield the response; sent once more, by a new connection, where the server turned out to have closed its own."""
    fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    # One silence; the thread's deadline bounds all of them together.
    times = dict.fromkeys(("connect", "read", "write", "pool"), network.left_s(policy.current().timeout_s))
    request = httpcore.Request("GET", target.url, headers=fields, extensions={"timeout": times})
    with ExitStack() as ends:
        try:
            response = _connections().handle_request(request)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            # A server that begins anew, or a proxy that tires, closes all that were kept: the next of them fails, too.
            response = ends.enter_context(_made(kept=0)).handle_request(request)
        ends.callback(response.close)
        yield response


def _counted(response: httpcore.Response) -> Iterator[bytes]:
    for piece in response.iter_stream():
        traffic.bytes += len(piece)
        yield piece


def _connections() -> httpcore.ConnectionPool:
    """Return this process's connections."""
    global _pool
    with _lock:
        if _pool is None or _pool[0] != os.getpid():
            _pool = (os.getpid(), _made(kept=KEPT_CONNECTIONS))
        return _pool[1]


def _made(*, kept: int) -> httpcore.ConnectionPool:
    return httpcore.ConnectionPool(
        ssl_context=httpcore.default_ssl_context(),
        max_connections=MOST_CONNECTIONS,
        max_keepalive_connections=kept,
        keepalive_expiry=IDLE_S,
        network_backend=network.Checked(),
    )


def _onward(target: Target, location: str) -> Target:
    """Return where a redirection leads, checked as if a member had asked for it."""
    if target.keys is not None:
        raise SourceFailed(
            f"The bucket behind '{target.shown[:120]}' lies elsewhere than the settings say.",
            fix="Ask the administrator to set its region (QUADRAT_REMOTE_S3_BUCKETS, name@region).",
            code="source_redirects",
        )
    try:
        onward = policy.current().check(urljoin(target.url, location))
    except (Invalid, ValueError) as error:
        raise SourceFailed(
            f"{target.host} redirects to a server that this site does not ask.",
            fix="Give the file's own address, on a server that the administrator has named.",
            code="source_redirects",
        ) from error
    if (target.scheme, onward.scheme) == ("https", "http"):
        raise SourceFailed(
            f"{target.host} redirects from https to http.", fix="Give the file's own address.", code="source_redirects"
        )
    return onward


def _check_resting(key: tuple[str, int]) -> None:
    with _lock:
        until, error = _resting.get(key, (0.0, None))
        if error is None:
            return
        if time.monotonic() >= until:
            # This one finds out whether the server is back, and only this one waits for it.
            _resting[key] = (time.monotonic() + policy.current().timeout_s, error)
            return
    raise type(error)(error.message, fix=error.fix, code=error.code)


def _rest(key: tuple[str, int], error: SourceFailed) -> SourceFailed:
    _resting[key] = (time.monotonic() + REST_S, error)
    return error
