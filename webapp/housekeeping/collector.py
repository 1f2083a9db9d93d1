"""Removes files that no row names: what crashes, rolled back transactions and deletions left behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from webapp import disk
from webapp.errors import Conflict
from webapp.housekeeping.stores import Store, stores
from webapp.imagery import uploads
from webapp.jobs.models import Job
from webapp.jobs.services import HELD

# "qcol" in ASCII: the advisory lock of the collector.
LOCK = 0x71636F6C


@dataclass(frozen=True)
class Found:
    """A file or folder that no row names.

    Attributes:
        store: which folder it lies in.
        name: relative to that.
        bytes: of all files in it.
    """

    store: str
    name: str
    bytes: int


@dataclass
class Report:
    """What a collection found.

    Attributes:
        removed: unnamed and old enough; with `dry_run` they are still there.
        young: unnamed, but too young to judge.
        bytes: of what was removed.
        dry_run: nothing was removed.
    """

    dry_run: bool
    removed: list[Found] = field(default_factory=list)
    young: int = 0
    bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the report for programs."""
        return asdict(self)


def collect(*, dry_run: bool = False, now: datetime | None = None) -> Report:
    """Remove files that no row names and that have not changed for QUADRAT_COLLECT_GRACE_H hours.

    While a job runs, nothing younger than its start is touched: a job writes its files first and names them last.

    Args:
        dry_run: only say what would go.
        now: the clock; tests give it.

    Raises:
        Conflict: another collection is under way.
    """
    report = Report(dry_run)
    with _alone():
        if not dry_run:
            uploads.sweep()
        before = _cutoff(now or timezone.now())
        for store in stores():
            _collect_store(store, before, report)
    return report


def drop_unnamed(names: dict[str, set[str]]) -> None:
    """Remove files at once whose rows were just deleted, by store and name; those that other rows name stay.

    While a job is at work that may be about to name the same bytes, they are left to the next collection.
    """
    for store in stores():
        stamps = {store.root / name: _stamp(store.root / name) for name in names.get(store.name, set())}
        if store.shared and Job.objects.filter(state__in=HELD).exists():
            continue
        named = store.named()
        _remove(store, {path: stamp for path, stamp in stamps.items() if stamp and _relative(store, path) not in named})


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return the stamp of an entry; None where it is gone."""
    try:
        return disk.stamp_of(path)
    except FileNotFoundError:
        return None


def _cutoff(now: datetime) -> float:
    """Return the Unix time before which a file must have changed last."""
    before = now - timedelta(hours=settings.COLLECT_GRACE_H)
    running = Job.objects.filter(finished_at=None, started_at__isnull=False).order_by("started_at").first()
    if running is not None and running.started_at is not None:
        before = min(before, running.started_at)
    return before.timestamp()


def _collect_store(store: Store, before: float, report: Report) -> None:
    if not report.dry_run:
        _put_back_forgotten(store)
    # Before anything is judged: what is taken up from now on has another stamp when it is moved.
    stamps = {path: stamp for path in store.entries() if (stamp := _stamp(path))}
    named = store.named()
    unnamed = [path for path in stamps if _relative(store, path) not in named]
    old = {path: stamps[path] for path in unnamed if _changed_at(path) < before}
    report.young += len(unnamed) - len(old)
    found = {path: Found(store.name, _relative(store, path), _size(path)) for path in old}
    gone = list(old) if report.dry_run else _remove(store, old)
    for path in gone:
        report.removed.append(found[path])
        report.bytes += found[path].bytes


def _remove(store: Store, stamps: dict[Path, tuple[int, int]]) -> list[Path]:
    """Remove entries unless something took them up since their stamp was noted; return those that went."""
    asides = {path: disk.set_aside(path) for path in stamps}
    named = store.named() if stamps else set()
    gone = []
    for path, aside in asides.items():
        if disk.stamp_of(aside) != stamps[path] or _relative(store, path) in named:
            disk.put_back(aside)
        else:
            disk.discard(aside)
            gone.append(path)
    return gone


def _put_back_forgotten(store: Store) -> None:
    """Move back what a collector that was killed had moved aside."""
    for aside in [path for path in store.entries() if path.name.startswith(disk.ASIDE)]:
        disk.put_back(aside)


def _relative(store: Store, path: Path) -> str:
    return path.relative_to(store.root).as_posix()


def _within(path: Path) -> Iterator[Path]:
    yield path
    if path.is_dir() and not path.is_symlink():
        yield from path.rglob("*")


def _changed_at(path: Path) -> float:
    """Return the Unix time of the last change; moving a file into its place counts as one."""
    times = [item.lstat() for item in _within(path)]
    return max(max(time.st_mtime, time.st_ctime) for time in times)


def _size(path: Path) -> int:
    return sum(item.lstat().st_size for item in _within(path) if not item.is_dir())


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise Conflict("A collection is under way.", fix="Wait until it has ended.", code="busy")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
