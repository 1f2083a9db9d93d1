"""Pixels that lie on other servers: how many threads may wait for them, so that no other layer waits along."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from webapp.errors import Unavailable

SUFFIX, MOSAIC_SUFFIX = ".remote", ".mosaic"
# Of the threads that serve everything but tiles (WMS, WMTS, previews), those that may wait for another server.
MOST_WAITING = 3
_own = threading.local()
_places = threading.BoundedSemaphore(MOST_WAITING)


def is_far(path: Path) -> bool:
    """Say whether an analysis file names a raster of another server, or a mosaic with one among its scenes."""
    return path.suffix == SUFFIX or (path.suffix == MOSAIC_SUFFIX and _holds_one(path))


@lru_cache(maxsize=4096)
def _holds_one(path: Path) -> bool:
    # A file is named by what it holds: what it says once, it says for ever.
    try:
        return f'{SUFFIX}"' in path.read_text()
    except OSError:
        return False


def reserve() -> None:
    """Say of the thread that calls it that it draws nothing but such pixels: it never waits for a place."""
    _own.reserved = True


@contextmanager
def place(path: Path) -> Iterator[None]:
    """Hold one of the few places of threads that read a file of another server; any other file needs none.

    Raises:
        Unavailable: all are taken.
    """
    if not is_far(path) or getattr(_own, "reserved", False):
        yield
        return
    if not _places.acquire(blocking=False):
        raise Unavailable(
            "Other pictures wait for the same kind of server.",
            fix="Ask again in a moment.",
            code="overloaded",
            details={"retry_after_s": 1},
        )
    try:
        yield
    finally:
        _places.release()
