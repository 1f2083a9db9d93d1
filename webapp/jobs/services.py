"""The life of a job. Every change of a job's row is made here.

A running job belongs to whoever holds its fencing token. A worker keeps the lease alive; when the lease ends
the reaper gives the job to another, under a new token, and the old holder can write nothing more: each write
of results first locks the job's row and compares the token. All times are the database's.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import DateTimeField, F, Func, Q
from django.db.models.functions import Now

from webapp import doorbell, locks, points
from webapp.errors import Conflict, QuadratError, TooMany
from webapp.jobs.models import Job, JobEvent
from webapp.jobs.registry import check_kind
from webapp.projects.models import Project, User

HELD = (Job.State.RUNNING, Job.State.PUBLISHING)
FINAL = (Job.State.SUCCEEDED, Job.State.FAILED, Job.State.CANCELLED)
# Workers listen here for new work; the number says nothing.
WORK_TOPIC = "jobs"
# A job under which the database goes away more often than this may be what brings it down.
MOST_INTERRUPTIONS = 20
# "quad" in ASCII: the advisory lock of the reaper.
REAPER_LOCK = 0x71756164
# A cancel waits so long for a job that is storing its result.
CANCEL_WAIT_MS = 2_000


class Interrupted(Exception):
    """The attempt must stop now; what is stored stays stored."""


class LeaseLost(Interrupted):
    """Another attempt owns the job, or nobody does: this one must write nothing more."""


class JobCancelled(Interrupted):
    """Somebody asked for the job to stop."""


class Draining(Interrupted):
    """The worker shuts down: the job goes back to the queue and the attempt is not counted."""


def enqueue(
    *,
    project: Project | None,
    kind: str,
    spec: dict[str, Any],
    user: User | None,
    title: str,
    lane: str = Job.Lane.HEAVY,
    priority: int = 0,
    restarts: Job | None = None,
) -> Job:
    """Return a new job, queued when the current transaction commits.

    Args:
        project: where it belongs; None for the site's own work.
        kind: see `registry`.
        spec: what to do.
        user: who asks.
        title: for people.
        lane: which slots of a worker it needs.
        priority: higher runs first.
        restarts: the ended job that it runs again.

    Raises:
        Invalid: the kind is not registered.
        TooMany: the project has too many unfinished jobs.
    """
    check_kind(kind)
    with transaction.atomic():
        if project is not None:
            _check_quota(project)
        job = Job.objects.create(
            project=project,
            kind=kind,
            lane=lane,
            title=title[:200],
            spec=spec,
            priority=priority,
            max_attempts=settings.JOB_MAX_ATTEMPTS,
            created_by=user,
            restarts=restarts,
        )
        _note(job, f"Queued by {user.get_username()}." if user else "Queued.")
        doorbell.ring(WORK_TOPIC, 0)
    return job


def log_line(job: Job, text: str) -> None:
    """Add a line to the log of a job that nobody has claimed yet."""
    with transaction.atomic():
        _note(job, text)


def cancel(*, job: Job, user: User | None) -> Job:
    """Return the job, cancelled if it was queued, else told to stop. A finished job stays as it is.

    Raises:
        Conflict: the result is being published and can no longer be stopped.
    """
    with transaction.atomic():
        locked = _lock_soon(job.pk)
        if locked is None or locked.state == Job.State.PUBLISHING or (locked.published and not locked.finished):
            raise Conflict("The job is publishing its result.", fix="Wait until it has finished.")
        if locked.finished or locked.cancel_requested:
            return locked
        Job.objects.filter(pk=job.pk).update(cancel_requested=True)
        _note(locked, f"Cancel asked for by {user.get_username()}." if user else "Cancel asked for.")
        if locked.state == Job.State.QUEUED:
            _finish(locked, Job.State.CANCELLED, message="Cancelled before it started.")
        locked.refresh_from_db()
    return locked


def claim(*, worker: str, lanes: Sequence[str], job_id: uuid.UUID | None = None) -> Job | None:
    """Return the next queued job of the lanes, now running under a new token, or None where there is none.

    Args:
        worker: who asks, for people who read the job.
        lanes: the lanes that have room.
        job_id: only this job.
    """
    with transaction.atomic():
        _bound_silence()
        queued = Job.objects.select_for_update(skip_locked=True, no_key=True).filter(
            state=Job.State.QUEUED, lane__in=lanes
        )
        job = (queued.filter(pk=job_id) if job_id else queued).order_by("-priority", "created_at", "id").first()
        if job is None:
            return None
        Job.objects.filter(pk=job.pk).update(
            state=Job.State.RUNNING,
            attempt=F("attempt") + 1,
            token=uuid.uuid4(),
            worker=worker[:200],
            lease_until=_lease_end(),
            heartbeat_at=Now(),
            started_at=job.started_at or Now(),
            message="",
        )
        job.refresh_from_db()
        _note(job, f"Attempt {job.attempt} started on {worker}.")
    return job


def heartbeat(*, job_id: uuid.UUID, token: uuid.UUID) -> bool:
    """Renew the lease; return True where the job should stop because somebody cancelled it.

    A row that is locked is not waited for: most often the job's own guard has it, for as long as it takes to store a
    large result. It lives, no reaper takes it, and the end of the guard renews the lease.

    Raises:
        LeaseLost: the token no longer holds.
    """
    held = Job.objects.filter(pk=job_id, token=token, state__in=HELD)
    with transaction.atomic():
        if held.select_for_update(skip_locked=True, no_key=True).exists():
            held.update(lease_until=_lease_end(), heartbeat_at=Now())
            points.reach("job.beating")
        elif not held.exists():
            raise LeaseLost(f"Job {job_id} is no longer ours.")
    return Job.objects.filter(pk=job_id, cancel_requested=True, state=Job.State.RUNNING).exists()


def check(*, job_id: uuid.UUID, token: uuid.UUID) -> None:
    """Return while the attempt should go on.

    Raises:
        LeaseLost: the token no longer holds.
        JobCancelled: somebody cancelled the job.
    """
    row = Job.objects.filter(pk=job_id, token=token, state__in=HELD).values_list("cancel_requested", "state").first()
    if row is None:
        raise LeaseLost(f"Job {job_id} is no longer ours.")
    if row == (True, Job.State.RUNNING):
        raise JobCancelled(f"Job {job_id} was cancelled.")


def report(*, job_id: uuid.UUID, token: uuid.UUID, fraction: float, message: str) -> None:
    """Store how far the job is, 0 to 1, with a few words for people.

    Raises:
        LeaseLost: the token no longer holds.
        JobCancelled: somebody cancelled the job.
    """
    with transaction.atomic():
        job = _lock(job_id, token)
        if job.cancel_requested and job.state == Job.State.RUNNING:
            raise JobCancelled(f"Job {job_id} was cancelled.")
        Job.objects.filter(pk=job_id).update(
            progress=min(max(fraction, 0.0), 1.0), message=message[:500] or job.message
        )
        _ring(job)


def log(*, job_id: uuid.UUID, token: uuid.UUID, text: str, level: str = "info") -> None:
    """Add a line to the job's log.

    Raises:
        LeaseLost: the token no longer holds.
    """
    with transaction.atomic():
        _note(_lock(job_id, token), text, level)


@contextmanager
def guard(*, job_id: uuid.UUID, token: uuid.UUID) -> Iterator[Job]:
    """Open a transaction in which the token is sure to hold until the commit: results are written in here.

    The server ends it when no statement comes for two leases: prepare files before, not inside.

    Raises:
        LeaseLost: the token no longer holds; nothing is written.
    """
    with transaction.atomic():
        yield _lock(job_id, token)
        _renew(job_id, token)


@contextmanager
def publish(*, job_id: uuid.UUID, token: uuid.UUID) -> Iterator[Job]:
    """Open the guarded transaction of the final result; from its commit on the job can only succeed.

    Put the job's result into `result` of the row that is given: it is stored by the same commit, so an attempt that
    dies after it is not run again, and nothing is published twice.

    Raises:
        LeaseLost: the token no longer holds.
        JobCancelled: somebody cancelled the job first.
    """
    with transaction.atomic():
        job = _lock(job_id, token)
        if job.cancel_requested and job.state == Job.State.RUNNING:
            raise JobCancelled(f"Job {job_id} was cancelled.")
        Job.objects.filter(pk=job_id).update(state=Job.State.PUBLISHING, published=True)
        _ring(job)
        yield job
        Job.objects.filter(pk=job_id).update(result=job.result)
        _renew(job_id, token)


def finish(*, job_id: uuid.UUID, token: uuid.UUID, result: dict[str, Any]) -> None:
    """Store the result: the job has succeeded.

    Raises:
        LeaseLost: the token no longer holds; the result is not stored.
    """
    with transaction.atomic():
        job = _lock(job_id, token)
        _note(job, "Done.")
        _finish(job, Job.State.SUCCEEDED, result=result, progress=1.0)
        points.reach("job.finishing")


def fail(*, job_id: uuid.UUID, token: uuid.UUID, error: QuadratError) -> None:
    """Store why the job failed; it is not tried again. One that has published has succeeded whatever came after it.

    Raises:
        LeaseLost: the token no longer holds.
    """
    with transaction.atomic():
        _fail(_lock(job_id, token), error.code, error.message, error.fix)


def acknowledge_cancel(*, job_id: uuid.UUID, token: uuid.UUID) -> None:
    """End a running job that was told to stop.

    Raises:
        LeaseLost: the token no longer holds.
    """
    with transaction.atomic():
        job = _lock(job_id, token)
        _note(job, "Cancelled.")
        _finish(job, Job.State.CANCELLED, message="Cancelled.")


def release(*, job_id: uuid.UUID, token: uuid.UUID) -> None:
    """Put a job back into the queue because its worker shuts down; the attempt does not count.

    Raises:
        LeaseLost: the token no longer holds.
    """
    with transaction.atomic():
        job = _lock(job_id, token)
        if job.cancel_requested:
            _finish(job, Job.State.CANCELLED, message="Cancelled.")
            return
        _note(job, "The worker shuts down; the job goes on with the next one.")
        _requeue(job, attempt=job.attempt - 1)


def interrupt(*, job_id: uuid.UUID, token: uuid.UUID) -> None:
    """Put a job back into the queue because the database went away under it; the attempt does not count.

    Raises:
        LeaseLost: the token no longer holds.
    """
    with transaction.atomic():
        job = _lock(job_id, token)
        if job.cancel_requested or job.interruptions >= MOST_INTERRUPTIONS:
            _lost(job, "The database went away")
            return
        Job.objects.filter(pk=job_id).update(interruptions=F("interruptions") + 1)
        _note(job, "The database went away; the job goes on as soon as a worker has room.", "warning")
        _requeue(job, attempt=job.attempt - 1)


def lose(*, job_id: uuid.UUID, token: uuid.UUID, reason: str) -> None:
    """Give a job whose process died to the next attempt, or fail it where none is left.

    Raises:
        LeaseLost: the token no longer holds: the process had finished, or the reaper was here.
    """
    with transaction.atomic():
        _lost(_lock(job_id, token), reason)


def reap() -> int:
    """Take the jobs whose lease has ended from their dead workers; return how many.

    Any number of workers may call this at once: one does the work, the others return at once. A row that is
    locked belongs to somebody alive and is left for the next round. A lease that ended while the database was
    down gets another one's time: its holder may be well and could not say so.
    """
    with transaction.atomic():
        _bound_silence()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [REAPER_LOCK])
            if not cursor.fetchone()[0]:
                return 0
        lease = timedelta(seconds=settings.JOB_LEASE_S)
        ended = list(
            Job.objects.select_for_update(skip_locked=True, no_key=True)
            .annotate(database_since=Func(function="pg_postmaster_start_time", output_field=DateTimeField()))
            .filter(state__in=HELD, lease_until__lt=Now(), database_since__lt=Now() - lease)
        )
        for job in ended:
            _lost(job, f"The worker {job.worker} went silent")
        return len(ended)


def _check_quota(project: Project) -> None:
    unfinished = Job.objects.filter(project=project).exclude(state__in=FINAL).count()
    if unfinished >= settings.JOB_MAX_UNFINISHED:
        raise TooMany(
            f"The project has {unfinished} unfinished jobs, the most allowed.",
            fix="Wait for some to finish, or cancel them.",
            code="quota",
            details={"retry_after_s": 60},
        )


def _bound_silence() -> None:
    """Let the server end this transaction if its process freezes in the middle, holding locks the reaper needs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true)",
            [str(int(settings.JOB_LEASE_S * 2000))],
        )


def _lock_soon(job_id: uuid.UUID) -> Job | None:
    """Return the job, locked; None where its guard holds it for longer than a person wants to wait."""
    try:
        with transaction.atomic(), locks.waiting_at_most(CANCEL_WAIT_MS):
            found = Job.objects.select_for_update(no_key=True).get(pk=job_id)
    except OperationalError as error:
        if locks.timed_out(error):
            return None
        raise
    return found


def _renew(job_id: uuid.UUID, token: uuid.UUID) -> None:
    """Give the job a whole lease at the end of its guard, which may have lasted longer than one."""
    held = Job.objects.filter(pk=job_id, token=token, state__in=HELD)
    held.update(lease_until=_lease_end(), heartbeat_at=Now())


def _lease_end() -> Any:
    return Now() + timedelta(seconds=settings.JOB_LEASE_S)


def _lock(job_id: uuid.UUID, token: uuid.UUID) -> Job:
    _bound_silence()
    # NO KEY: rows that point at the job may still be inserted by others while it is held.
    job = Job.objects.select_for_update(no_key=True).filter(Q(pk=job_id) & Q(token=token) & Q(state__in=HELD)).first()
    if job is None:
        raise LeaseLost(f"Job {job_id} is no longer ours.")
    return job


def _lost(job: Job, reason: str) -> None:
    where = f" at “{job.message}”" if job.message else ""
    _note(job, f"{reason} in attempt {job.attempt}{where}.", "warning")
    if job.cancel_requested:
        _finish(job, Job.State.CANCELLED, message="Cancelled.")
    elif job.published and not job.result and job.interruptions < MOST_INTERRUPTIONS:
        # What it made is there for all to see: the next attempt finds it, and only says so.
        Job.objects.filter(pk=job.pk).update(interruptions=F("interruptions") + 1)
        _requeue(job, attempt=job.attempt - 1)
    elif job.published or job.attempt >= job.max_attempts:
        _fail(
            job,
            "worker_lost",
            f"The job's process died {job.attempt} times, last{where} ({int(job.progress * 100)} %).",
            "It may need more memory than the machine has: try smaller settings, and read the log below.",
        )
    else:
        _requeue(job, attempt=job.attempt)


def _requeue(job: Job, *, attempt: int) -> None:
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.QUEUED, attempt=attempt, token=None, lease_until=None, heartbeat_at=None, worker=""
    )
    _ring(job)
    doorbell.ring(WORK_TOPIC, 0)


def _fail(job: Job, code: str, message: str, fix: str) -> None:
    if job.published:
        # People see the result, and work with it: what broke is how its attempt ended.
        _note(job, f"The result was stored; then: {message}", "warning")
        _finish(job, Job.State.SUCCEEDED, result=job.result, progress=1.0)
        return
    _note(job, f"{message} {fix}".strip(), "error")
    _finish(job, Job.State.FAILED, error_code=code, error_message=message, error_fix=fix)


def _finish(job: Job, state: Job.State, **values: Any) -> None:
    Job.objects.filter(pk=job.pk).update(state=state, token=None, lease_until=None, finished_at=Now(), **values)
    _ring(job)


def _note(job: Job, text: str, level: str = "info") -> None:
    """Append to the log, with the next number of the job's own row: gapless and in commit order."""
    Job.objects.filter(pk=job.pk).update(seq=F("seq") + 1)
    job.refresh_from_db(fields=["seq"])
    if job.seq <= settings.JOB_LOG_MAX_LINES:
        JobEvent.objects.create(job=job, seq=job.seq, level=level, text=text[:4000], attempt=job.attempt)
    _ring(job)


def _ring(job: Job) -> None:
    doorbell.ring(f"job:{job.pk}", job.seq)
    if job.project_id:
        doorbell.ring(f"project:{job.project_id}", job.seq)
