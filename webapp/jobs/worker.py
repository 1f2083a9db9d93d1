"""The worker: claims jobs, runs each in a child process, keeps their leases alive, cleans up after the dead.

The main thread starts children, so that PR_SET_PDEATHSIG ties their life to the worker's (the kernel sends it
when the *thread* that started them ends). A second thread beats, so that nothing the main thread waits for
costs a job its lease.
"""

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from webapp import points
from webapp.doorbell import listener
from webapp.errors import QuadratError
from webapp.jobs import services
from webapp.jobs.context import scratch_folder
from webapp.jobs.models import Job
from webapp.jobs.restarts import keeps_files
from webapp.jobs.runner import DATABASE_GONE, remove_scratch

logger = logging.getLogger(__name__)

# Between two looks at the children.
TICK_S = 0.2
# Between two looks at the queue when nobody rings, and at cancelled jobs.
POLL_S = 1.0
# Between two rounds that remove files of ended jobs.
SWEEP_S = 600.0
# "qday" in ASCII: the advisory lock of the daily collection.
COLLECTION_LOCK = 0x71646179
OF_A_JOB = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class TimedOut(QuadratError):
    """An attempt took longer than the site allows."""

    code = "timeout"


@dataclass
class Child:
    """One running attempt and its process.

    Times are monotonic seconds of this machine; they bound only this process's own patience, never a lease.

    Attributes:
        lost: the job belongs to another attempt, or has ended.
        unheard: the last beat found no database.
        cut_off: it was stopped because no beat could be stored for as long as a lease.
    """

    job_id: uuid.UUID
    token: uuid.UUID
    lane: str
    process: "subprocess.Popen[bytes]"
    started: float = field(default_factory=time.monotonic)
    beaten: float = field(default_factory=time.monotonic)
    cancelled: float | None = None
    lost: bool = False
    unheard: bool = False
    cut_off: bool = False


class Worker:
    """Runs jobs until told to stop.

    Args:
        slots: how many jobs of each lane run at once.
    """

    def __init__(self, slots: dict[str, int]) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._slots = slots
        self._children: dict[uuid.UUID, Child] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._stopping = 0
        self._polled = self._reaped = self._swept = float("-inf")
        self._collected = time.monotonic()  # not at the start, which should answer quickly

    def stop(self) -> None:
        """Shut down: children stop at their next check and their jobs go back to the queue. Twice: at once."""
        self._stopping += 1

    def run(self, *, once: bool = False) -> None:
        """Work until stopped; with `once`, until nothing is queued and nothing runs."""
        signal.signal(signal.SIGTERM, lambda *_: self.stop())
        signal.signal(signal.SIGINT, lambda *_: self.stop())
        unsubscribe = listener.subscribe(services.WORK_TOPIC, lambda *_: self._wake.set())
        beat = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        beat.start()
        logger.info("worker %s takes %s", self.name, self._slots)
        try:
            while not self._stopping:
                _try(self._turn)
                if once and not self._children and not _queued(list(self._slots)):
                    return
                self._wake.wait(TICK_S)
        finally:
            self._drain()
            self._ended.set()
            beat.join(timeout=5)
            unsubscribe()
            listener.stop()

    def _turn(self) -> None:
        self._collect(draining=False)
        now = time.monotonic()
        if now - self._reaped >= settings.JOB_LEASE_S / 3:
            self._reaped = now
            services.reap()
        if self._wake.is_set() or now - self._polled >= POLL_S:
            self._wake.clear()
            self._polled = now
            self._see_cancels(now)
            while self._start_next():
                pass
        self._enforce(now)
        if now - self._swept >= SWEEP_S:
            self._swept = now
            _sweep()
            _sweep_quarantine()
        if now - self._collected >= SWEEP_S:
            self._collected = now
            _start_collection()

    def _start_next(self) -> bool:
        lanes = [lane for lane, room in self._slots.items() if self._count(lane) < room]
        job = services.claim(worker=self.name, lanes=lanes) if lanes else None
        if job is None or job.token is None:
            return False
        points.reach("job.claimed")
        process = subprocess.Popen(
            [
                sys.executable,
                str(settings.BASE_DIR / "manage.py"),
                "run_job",
                str(job.pk),
                str(job.token),
                "--parent",
                str(os.getpid()),
            ],
            start_new_session=True,  # its own group: Ctrl-C is for the worker, and grandchildren die with it
            stdin=subprocess.DEVNULL,
        )
        with self._lock:
            self._children[job.pk] = Child(job.pk, job.token, job.lane, process)
        logger.info("job %s (%s) attempt %s: process %s", job.pk, job.kind, job.attempt, process.pid)
        return True

    def _count(self, lane: str) -> int:
        return sum(child.lane == lane for child in self._children.values())

    def _collect(self, *, draining: bool) -> None:
        """Settle the jobs of children that have ended."""
        for child in list(self._children.values()):
            code = child.process.poll()
            if code is None:
                continue
            _kill(child)  # what it left running in its group
            if not child.lost:
                self._settle(child, code, draining=draining)
            with self._lock:
                del self._children[child.job_id]
            self._wake.set()

    def _settle(self, child: Child, code: int, *, draining: bool) -> None:
        """Store the end of an attempt that did not store it itself."""
        try:
            if child.cancelled is not None:
                services.acknowledge_cancel(job_id=child.job_id, token=child.token)
            elif draining:
                services.release(job_id=child.job_id, token=child.token)
                return
            elif child.cut_off or code == DATABASE_GONE:
                services.interrupt(job_id=child.job_id, token=child.token)
                return
            else:
                services.lose(job_id=child.job_id, token=child.token, reason=_describe(code))
        except services.LeaseLost:
            return  # the child stored its end, as nearly all do
        if not Job.objects.filter(keeps_files(), pk=child.job_id).exists():
            remove_scratch(child.job_id)

    def _see_cancels(self, now: float) -> None:
        asked = Job.objects.filter(pk__in=list(self._children), cancel_requested=True, state=Job.State.RUNNING)
        for pk in asked.values_list("pk", flat=True):
            child = self._children[pk]
            child.cancelled = child.cancelled or now

    def _enforce(self, now: float) -> None:
        """Kill children that do not stop, whose lease is gone, or that take too long."""
        for child in list(self._children.values()):
            disobeys = child.cancelled is not None and now - child.cancelled > settings.JOB_GRACE_S
            silent = now - child.beaten > settings.JOB_LEASE_S
            if child.lost or disobeys or silent:
                child.cut_off = child.unheard and silent
                _kill(child)
            elif now - child.started > settings.JOB_WALL_LIMIT_S:
                _time_out(child)

    def _beat(self) -> None:
        """Renew the leases of living children, every third of a lease."""
        while not self._ended.wait(settings.JOB_LEASE_S / 3):
            _try(self._beat_all)
        connection.close()

    def _beat_all(self) -> None:
        with self._lock:
            children = list(self._children.values())
        for child in children:
            before = time.monotonic()
            try:
                services.heartbeat(job_id=child.job_id, token=child.token)
                child.beaten, child.unheard = before, False
            except (OperationalError, InterfaceError):
                child.unheard = True
                raise
            except services.LeaseLost:
                # Most often the child has just stored its end; if it still runs a moment later it must not.
                child.lost = child.process.poll() is None

    def _drain(self) -> None:
        for child in self._children.values():
            child.process.terminate()
        deadline = time.monotonic() + settings.JOB_GRACE_S
        # A database that is away cannot be told; the leases then end by themselves.
        while self._children and time.monotonic() < deadline + settings.JOB_LEASE_S:
            if time.monotonic() > deadline or self._stopping > 1:
                for child in self._children.values():
                    _kill(child)
            _try(lambda: self._collect(draining=True))
            time.sleep(TICK_S)


def _try(act: Callable[[], None]) -> None:
    """Do one round; a database that is away for a moment is not the end of a worker."""
    try:
        act()
    except (OperationalError, InterfaceError) as error:
        logger.warning("the database does not answer (%s), trying again", str(error).strip())
        connection.close()
        time.sleep(POLL_S)


def _queued(lanes: list[str]) -> bool:
    return Job.objects.filter(state=Job.State.QUEUED, lane__in=lanes).exists()


def _kill(child: Child) -> None:
    try:
        os.killpg(child.process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _time_out(child: Child) -> None:
    error = TimedOut(
        f"The job took longer than {settings.JOB_WALL_LIMIT_S / 3600:g} hours.",
        fix="Give it less to do, or ask an administrator to raise QUADRAT_JOB_WALL_LIMIT_S.",
    )
    try:
        services.fail(job_id=child.job_id, token=child.token, error=error)
    except services.LeaseLost:
        logger.info("job %s ended while it was timed out", child.job_id)
    child.lost = True
    _kill(child)


def _describe(code: int) -> str:
    if code >= 0:
        return f"The process ended with status {code} before the job was done"
    name = signal.Signals(-code).name
    hint = ", as the kernel does when memory runs out," if -code == signal.SIGKILL else ""
    return f"The process was killed by {name}{hint}"


def _sweep() -> None:
    """Remove the scratch folders of jobs that have ended, or are gone, and are not to be run again."""
    root = scratch_folder(uuid.UUID(int=0)).parent
    found = {entry.name for entry in root.iterdir()} if root.is_dir() else set()
    needed = Job.objects.filter(keeps_files()).values_list("pk", flat=True)
    for name in found - {str(pk) for pk in needed}:
        # What is no job's folder is the collector's.
        if OF_A_JOB.fullmatch(name):
            remove_scratch(uuid.UUID(name))


def _sweep_quarantine() -> None:
    """Remove uploaded files that waited for a job which ended without them, by a cancel in the queue for one."""
    root, oldest = Path(settings.QUARANTINE_DIR), time.time() - settings.UPLOAD_KEEP_H * 3600
    old = {path.name: path for path in root.glob("*") if path.is_file() and path.stat().st_mtime < oldest}
    if not old:
        return
    for spec in Job.objects.filter(keeps_files()).values_list("spec", flat=True):
        for value in spec.values():
            if isinstance(value, str):
                old.pop(value, None)
    for path in old.values():
        path.unlink(missing_ok=True)


def _start_collection() -> None:
    """Queue the day's collection of unnamed files, unless one was queued already by whichever worker."""
    every = timedelta(hours=settings.COLLECT_EVERY_H)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [COLLECTION_LOCK])
            if not cursor.fetchone()[0]:
                return
        recent = Q(created_at__gt=Now() - every) | Q(finished_at=None)
        if every and not Job.objects.filter(recent, kind="collect").exists():
            services.enqueue(
                project=None,
                kind="collect",
                spec={},
                user=None,
                title="Remove files that nothing names",
                lane=Job.Lane.LIGHT,
            )
