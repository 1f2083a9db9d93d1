"""Pictures kept in memory by what they show: the layer's version is in every key, so nothing old is ever found."""

import threading
from collections import OrderedDict
from collections.abc import Hashable

# What the dictionary's entry, the key and the bytes object cost beside the bytes.
OVERHEAD_BYTES = 400


class TileCache:
    """The latest pictures, up to a number of bytes. Safe to use from many threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self.size_bytes = 0
        self.hits = self.misses = 0

    def get(self, key: Hashable) -> bytes | None:
        """Return the picture, and count whether there was one."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                self.misses += 1
                return None
            self.hits += 1
            self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, body: bytes) -> None:
        """Keep a picture; the longest unused ones go for it."""
        cost = len(body) + OVERHEAD_BYTES
        if cost > self._most_bytes // 8:
            return
        with self._lock:
            former = self._kept.pop(key, None)
            if former is not None:
                self.size_bytes -= len(former) + OVERHEAD_BYTES
            self._kept[key] = body
            self.size_bytes += cost
            while self.size_bytes > self._most_bytes:
                _, dropped = self._kept.popitem(last=False)
                self.size_bytes -= len(dropped) + OVERHEAD_BYTES

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._kept.clear()
            self.size_bytes = 0
