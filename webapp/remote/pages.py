"""Pages of files of other servers that were read lately, and promises of those that are on their way."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future

from webapp.errors import QuadratError
from webapp.remote import policy
from webapp.remote.pinned import Pinned


class Pages:
    """See above. Threads share it."""

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
