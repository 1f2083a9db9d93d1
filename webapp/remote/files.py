"""A file of another server, read in pages: what was read lately stays in memory, and one that changes is noticed."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from webapp.errors import QuadratError, SourceChanged, SourceFailed, SourceSlow
from webapp.remote import client, policy
from webapp.remote.client import FIX_COPY, FIX_LATER, Answer
from webapp.remote.pages import Pages
from webapp.remote.pinned import Pinned

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


def length_of(url: str) -> tuple[int, str]:
    """Return how many bytes a file has and what it is called, of a server that gives parts or not.

    Raises:
        Invalid: the server is not one that may be asked.
        SourceFailed: the server does not give it, or does not say how long it is.
    """
    with client.opened(url, {"range": "bytes=0-0"}) as (answer, _):
        if answer.status == 206:
            return _part(answer, 0, 1)[1], answer.target.name
        if answer.status != 200:
            raise client.refused(answer)
        told = answer.headers.get("content-length", "")
        if not told.isdigit() or len(told) > 15 or int(told) < 1:
            raise SourceFailed(
                f"{answer.target.host} does not say how long '{answer.target.name[:120]}' is.",
                fix="Download it and upload it here.",
                code="no_length",
            )
        return int(told), answer.target.name


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


_cache = Pages()


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
                    f"'{answer.target.name[:120]}' has more than the {most_bytes:,} bytes that were announced.",
                    fix="It has grown since it was asked for: add it again.",
                    code="source_too_long",
                )
            file.write(piece)
            yield written, total
        if total and written != total:
            raise client.broken(answer.target.host)
