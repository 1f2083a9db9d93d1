"""What a job's function gets: its spec, a place for files, and the only roads to progress, log and results."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from webapp.jobs import services
from webapp.jobs.models import Job
from webapp.jobs.services import Draining, Interrupted, JobCancelled, LeaseLost

__all__ = ["Draining", "Interrupted", "JobCancelled", "JobContext", "LeaseLost", "scratch_folder"]

# Between two looks at the job's row: fast enough for people, cheap enough for a call per batch.
LOOK_EVERY_S = 0.5
# A new message for people may come a little sooner.
TELL_EVERY_S = 0.1


def scratch_folder(job_id: uuid.UUID) -> Path:
    """Return where a job keeps files between its attempts."""
    return Path(settings.SCRATCH_DIR) / "jobs" / str(job_id)


class JobContext:
    """One attempt at a job.

    A function that runs a job must be resumable: the next attempt finds what this one stored, and goes on.

    Attributes:
        job: the row as it was claimed.
        spec: what to do.
        token: fencing token of this attempt.
        attempt: 1 for the first.
        stopping: set when the worker shuts down.
    """

    def __init__(self, job: Job) -> None:
        if job.token is None:
            raise LeaseLost(f"Job {job.pk} is not running.")
        self.job = job
        self.spec: dict[str, Any] = job.spec
        self.token: uuid.UUID = job.token
        self.attempt = job.attempt
        self.stopping = threading.Event()
        self._looked_at = 0.0
        self._message = ""

    @property
    def scratch(self) -> Path:
        """A folder that is kept across attempts and removed when the job has ended."""
        folder = scratch_folder(self.job.pk)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def check(self) -> None:
        """Return while the attempt should go on; cheap enough for every batch.

        Raises:
            JobCancelled: somebody cancelled the job.
            LeaseLost: another attempt owns the job.
            Draining: the worker shuts down.
        """
        if self.stopping.is_set():
            raise Draining("The worker shuts down.")
        if self._due(LOOK_EVERY_S):
            services.check(job_id=self.job.pk, token=self.token)

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how far the job is, 0 to 1, in a few words; also the check whether to go on.

        Raises:
            JobCancelled: somebody cancelled the job.
            LeaseLost: another attempt owns the job.
            Draining: the worker shuts down.
        """
        if self.stopping.is_set():
            raise Draining("The worker shuts down.")
        if self._due(TELL_EVERY_S if message not in ("", self._message) else LOOK_EVERY_S):
            self._message = message
            services.report(job_id=self.job.pk, token=self.token, fraction=fraction, message=message)

    def log(self, text: str, level: str = "info") -> None:
        """Add a line to the job's log (level: info, warning, error).

        Raises:
            LeaseLost: another attempt owns the job.
        """
        services.log(job_id=self.job.pk, token=self.token, text=text, level=level)

    @contextmanager
    def guard(self) -> Iterator[Job]:
        """Open a transaction that commits only while the token holds. Every write of results happens in one.

        Keep it short: the job's row is locked and a cancel waits for it; the server ends a transaction that
        sends no statement for two leases, so files are prepared before.

        Raises:
            LeaseLost: another attempt owns the job; nothing is written.
        """
        with services.guard(job_id=self.job.pk, token=self.token) as job:
            yield job

    @contextmanager
    def publish(self) -> Iterator[Job]:
        """As `guard`, for the final result: after its commit the job can only succeed.

        Put what the function returns into `result` of the row: then no further attempt runs after that commit.

        Raises:
            LeaseLost: another attempt owns the job; nothing is written.
            JobCancelled: somebody cancelled the job first; nothing is written.
        """
        with services.publish(job_id=self.job.pk, token=self.token) as job:
            yield job

    def _due(self, every_s: float) -> bool:
        now = time.monotonic()
        if now - self._looked_at < every_s:
            return False
        self._looked_at = now
        return True
