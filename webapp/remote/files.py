"""A file of another server, read in pages: what was read lately stays in memory, and one that changes is noticed."""

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from webapp.errors import QuadratError, SourceChanged, SourceFailed, SourceSlow
from webapp.remote import client, policy
from webapp.remote.client import FIX_COPY, FIX_LATER, Answer

PAGE_BYTES = 8 * 1024
# A gap of this many pages between two that are wanted is read along: a request costs more than its bytes.
GAP_PAGES = 4
# Bytes of one request, and of all that one call may ask for.
MOST_PART_BYTES = 4 * 1024**2
MOST_CALL_BYTES = 256 * 1024**2
# A file is opened by many small reads from its beginning.
FIRST_BYTES = 32 * 1024
# Requests of one call that run side by side.
ASKERS = 6
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pinned:
    """A file of another server as it was when it was looked at.

    Attributes:
        url: http(s) or s3.
        size_bytes: of the file.
        etag: what the server calls this state of it; empty where it calls it nothing.
        last_modified: as the server says it; empty where it does not.
    """

    url: str
    size_bytes: int
    etag: str = ""
    last_modified: str = ""

    @property
    def shown(self) -> str:
        """The address for people and logs: no query, which may hold a signature."""
        return self.url.partition("?")[0] + ("?…" if "?" in self.url else "")

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.partition("?")[0].rstrip("/").rsplit("/", 1)[-1]

    @property
    def certain(self) -> bool:
        """True where the server says by more than the size which state of the file it gives."""
        return bool(self.etag or self.last_modified)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)


def look(url: str) -> Pinned:
    """Return a file as it is now, by asking for its first byte.

    Raises:
        Invalid: the server is not one that may be asked.
        SourceFailed: the server does not give it, or gives no parts of files.
    """
    with client.opened(url, {"range": "bytes=0-0"}) as (answer, _):
        if answer.status not in (200, 206):
            raise client.refused(answer)
        size = _part(answer, 0, 1)[1]
        return Pinned(url, size, answer.headers.get("etag", ""), answer.headers.get("last-modified", ""))


class RemoteFile:
    """A file of another server, to be read from anywhere in it. Threads may share it.

    Args:
        pinned: the state that is read; any other is refused.
    """

    def __init__(self, pinned: Pinned) -> None:
        self.pinned = pinned
        self._host = urlsplit(pinned.url).netloc

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes of the file; fewer where it ends before.

        Raises:
            SourceFailed: the server does not give them, or the file has changed.
        """
        return self.read_parts([(offset, size)])[0]

    def read_parts(self, parts: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return several parts (offset, size) of the file, asked for side by side; each shorter where the file ends.

        Raises:
            SourceFailed: the server does not give them, or the file has changed.
        """
        ends = [min(offset + size, self.pinned.size_bytes) for offset, size in parts]
        spans = [(min(offset, end), end) for (offset, _), end in zip(parts, ends, strict=True)]
        if sum(end - start for start, end in spans) > MOST_CALL_BYTES:
            raise SourceFailed(
                f"'{self.pinned.name}' would need too many bytes at once.", fix=FIX_COPY, code="source_too_long"
            )
        wanted = {page for start, end in spans if end > start for page in self._pages(start, end)}
        pages = self._gathered(sorted(wanted))
        return [_cut(pages, start, end) for start, end in spans]

    def _pages(self, start: int, end: int) -> range:
        # The beginning of a file is read whole by the first who asks for any of it.
        last = max(end, min(FIRST_BYTES, self.pinned.size_bytes)) if start < FIRST_BYTES else end
        return range(start // PAGE_BYTES, -(-last // PAGE_BYTES))

    def known_pages(self) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, bytes) of what is in memory of the file."""
        for page, data in _cache.of(self.pinned):
            yield page * PAGE_BYTES, data

    def _gathered(self, wanted: Sequence[int]) -> dict[int, bytes]:
        """Return the wanted pages: from memory, from what others are asking for, and the rest from the server."""
        found, others, own = _cache.claim(self.pinned, wanted)
        runs = list(_runs([page for page, _ in own]))
        promised = dict(own)
        fetched: list[Future[dict[int, bytes]]] = []
        try:
            # The last one on this thread: most calls have one only.
            fetched = [_askers(self._host).submit(self._fetch, run) for run in runs[:-1]]
            for run in runs[-1:]:
                found.update(self._kept(self._fetch(run), promised))
            for one in fetched:
                found.update(self._kept(one.result(), promised))
        except QuadratError as error:
            _cache.give_up(self.pinned, promised, error)
            raise
        except BaseException:
            _cache.give_up(self.pinned, promised, client.broken(self.pinned.name))
            raise
        patience_s = 2 * policy.current().timeout_s
        for page, promise in others:
            try:
                found[page] = promise.result(timeout=patience_s)
            except TookTooLong as error:
                raise SourceSlow("Another reader of the same file waits too long.", fix=FIX_LATER) from error
        return found

    def _kept(self, pages: dict[int, bytes], promised: dict[int, "Future[bytes]"]) -> dict[int, bytes]:
        _cache.put(self.pinned, pages, promised)
        return pages

    def _fetch(self, run: range) -> dict[int, bytes]:
        start, end = run.start * PAGE_BYTES, min(run.stop * PAGE_BYTES, self.pinned.size_bytes)
        data = part(self.pinned, start, end)
        return {page: data[(at := (page - run.start) * PAGE_BYTES) : at + PAGE_BYTES] for page in run}


def part(pinned: Pinned, start: int, end: int) -> bytes:
    """Return the bytes [start, end) of a file, asked of its server.

    Raises:
        SourceChanged: the file is another one by now.
        SourceFailed: the server does not give them.
    """
    with client.opened(pinned.url, {"range": f"bytes={start}-{end - 1}"}) as (answer, pieces):
        if answer.status == 416:
            raise changed(pinned)
        if answer.status not in (200, 206):
            raise client.refused(answer)
        check_same(pinned, answer)
        length, total = _part(answer, start, end)
        if total != pinned.size_bytes:
            raise changed(pinned)
        data = client.whole(answer, pieces, length)
        if len(data) != end - start:
            raise client.broken(answer.target.host)
        return data


def check_same(pinned: Pinned, answer: Answer) -> None:
    """Refuse an answer that comes from another state of the file.

    Raises:
        SourceChanged: it does.
    """
    told = answer.headers
    for name, known in (("etag", pinned.etag), ("last-modified", pinned.last_modified)):
        if known and told.get(name, "") != known:
            raise changed(pinned)


def changed(pinned: Pinned) -> SourceChanged:
    """Return the error for a file that is no longer what it was."""
    return SourceChanged(
        f"'{pinned.name}' has changed on its server since it was added.",
        fix='Choose "Read again" on the layer\'s page, or add it as a new layer.',
    )


def _part(answer: Answer, start: int, end: int) -> tuple[int, int]:
    """Return (bytes in the answer, bytes of the whole file)."""
    host = answer.target.host
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise SourceFailed(f"{host} packs its answers.", fix=FIX_COPY, code="no_ranges")
    if answer.status == 200:
        raise SourceFailed(
            f"{host} gives whole files only: it does not answer to parts (Range).", fix=FIX_COPY, code="no_ranges"
        )
    found = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
    if found is None or int(found[1]) != start or not start <= int(found[2]) < end:
        raise SourceFailed(f"{host} gives another part of the file than was asked for.", fix=FIX_COPY, code="no_ranges")
    return int(found[2]) + 1 - start, int(found[3])


def _runs(pages: Sequence[int]) -> Iterator[range]:
    """Yield runs of pages that are asked for by one request each, small gaps filled."""
    most = MOST_PART_BYTES // PAGE_BYTES
    start = before = None
    for page in pages:
        if start is None or before is None:
            start = page
        elif page - before > GAP_PAGES or page - start >= most:
            yield range(start, before + 1)
            start = page
        before = page
    if start is not None and before is not None:
        yield range(start, before + 1)


def _cut(pages: dict[int, bytes], start: int, end: int) -> bytes:
    if end <= start:
        return b""
    first = start // PAGE_BYTES
    whole = b"".join(pages[page] for page in range(first, -(-end // PAGE_BYTES)))
    return whole[start - first * PAGE_BYTES : end - first * PAGE_BYTES]


class _Pages:
    """Pages of files that were read lately, and promises of those that are on their way."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Pinned, int], bytes] = OrderedDict()
        self._coming: dict[tuple[Pinned, int], Future[bytes]] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def claim(
        self, pinned: Pinned, wanted: Sequence[int]
    ) -> tuple[dict[int, bytes], list[tuple[int, "Future[bytes]"]], list[tuple[int, "Future[bytes]"]]]:
        """Return pages that are here, promises of others, and promises that the caller has now given."""
        found: dict[int, bytes] = {}
        others, own = [], []
        with self._lock:
            for page in wanted:
                key = (pinned, page)
                if key in self._kept:
                    self._kept.move_to_end(key)
                    found[page] = self._kept[key]
                elif key in self._coming:
                    others.append((page, self._coming[key]))
                else:
                    promise: Future[bytes] = Future()
                    self._coming[key] = promise
                    own.append((page, promise))
        return found, others, own

    def put(self, pinned: Pinned, pages: dict[int, bytes], promised: dict[int, "Future[bytes]"]) -> None:
        """Keep pages, and their promises."""
        most = policy.current().cache_bytes
        with self._lock:
            for page, data in pages.items():
                key = (pinned, page)
                self._bytes += len(data) - len(self._kept.pop(key, b""))
                self._kept[key] = data
                if page in promised:
                    self._coming.pop(key, None)
            while self._bytes > most and self._kept:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        for page in pages:
            if page in promised and not promised[page].done():
                promised[page].set_result(pages[page])

    def give_up(self, pinned: Pinned, promised: dict[int, "Future[bytes]"], error: QuadratError) -> None:
        """Tell those who wait that what was promised does not come."""
        with self._lock:
            for page in promised:
                self._coming.pop((pinned, page), None)
        for promise in promised.values():
            if not promise.done():
                promise.set_exception(error)

    def of(self, pinned: Pinned) -> list[tuple[int, bytes]]:
        """Return the pages of one file."""
        with self._lock:
            return [(page, data) for (of, page), data in self._kept.items() if of == pinned]

    def clear(self) -> None:
        """Forget all pages."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0


_cache = _Pages()


@lru_cache(maxsize=64)
def _askers(host: str) -> ThreadPoolExecutor:
    """Return the threads that ask one server: a slow one holds up no other."""
    return ThreadPoolExecutor(ASKERS, thread_name_prefix="remote parts")


def forget() -> None:
    """Forget what was read."""
    _cache.clear()


def download(url: str, target: Path, *, most_bytes: int, seconds: float) -> Iterator[tuple[int, int]]:
    """Write a whole file, yielding (bytes written, bytes in all; 0 where the server does not say) as it comes.

    Raises:
        Invalid: the server is not one that may be asked.
        SourceFailed: it does not give it, breaks off, or gives more than `most_bytes`.
    """
    written = 0
    with client.opened(url, {}, seconds=seconds) as (answer, pieces), target.open("wb") as file:
        if answer.status != 200:
            raise client.refused(answer)
        total = int(answer.headers.get("content-length", "0") or 0)
        for piece in pieces:
            written += len(piece)
            if written > most_bytes or total > most_bytes:
                raise SourceFailed(
                    f"'{answer.target.name[:120]}' has more than the {most_bytes:,} bytes that are taken.",
                    fix="Cut it, or ask the administrator to raise QUADRAT_UPLOAD_MAX_BYTES.",
                    code="source_too_long",
                )
            file.write(piece)
            yield written, total
        if total and written != total:
            raise client.broken(answer.target.host)
