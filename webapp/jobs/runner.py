"""Runs one attempt of one job in this process, and stores how it ended."""

import ctypes
import logging
import os
import shutil
import signal
import socket
import traceback
import uuid
from collections.abc import Callable
from pathlib import Path

from django.db import InterfaceError, OperationalError

from webapp import points
from webapp.errors import QuadratError, StorageFull
from webapp.jobs import registry, services
from webapp.jobs.context import JobContext, scratch_folder
from webapp.jobs.models import Job
from webapp.jobs.restarts import goes_on
from webapp.jobs.services import Draining, JobCancelled, LeaseLost

logger = logging.getLogger(__name__)

# What a process ends with when the database went away under its job (EX_TEMPFAIL of sysexits.h).
DATABASE_GONE = 75
# SQLSTATE: connection exceptions, and a server that shuts down, crashed or starts (PostgreSQL manual, appendix A).
GONE_STATES = ("08", "57P01", "57P02", "57P03")
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Broken(QuadratError):
    """A job ended by an error that nobody foresaw."""

    code = "internal"


def run_now(job: Job) -> Job:
    """Claim and run a job in this process; return it as it ended.

    Raises:
        LeaseLost: the job is not queued.
    """
    claimed = services.claim(worker=f"{socket.gethostname()} in-process", lanes=Job.Lane.values, job_id=job.pk)
    if claimed is None:
        raise LeaseLost(f"Job {job.pk} is not queued.")
    run_attempt(JobContext(claimed))
    job.refresh_from_db()
    return job


def die_with_parent(parent_pid: int) -> None:
    """Let the kernel kill this process when its worker dies, however that happens (Linux, prctl(2)).

    Raises:
        LeaseLost: the worker is dead already.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        raise LeaseLost("The worker died before its job began.")


def database_gone(error: BaseException) -> bool:
    """Return whether a database error means that the connection is lost, and not that a statement was refused."""
    state = getattr(error.__cause__, "pgcode", None)
    return state is None or str(state).startswith(GONE_STATES)


def yield_to_the_site() -> None:
    """Let pages go before long work, and the kernel take this process first when memory runs out."""
    os.nice(5)
    Path("/proc/self/oom_score_adj").write_text("500")


def run_claimed(job_id: uuid.UUID, token: uuid.UUID) -> None:
    """Run a job that the worker claimed for this process; SIGTERM makes it stop at its next check.

    Raises:
        LeaseLost: the token no longer holds.
    """
    job = Job.objects.select_related("project", "created_by").filter(pk=job_id, token=token).first()
    if job is None:
        raise LeaseLost(f"Job {job_id} is no longer ours.")
    context = JobContext(job)
    signal.signal(signal.SIGTERM, lambda *_: context.stopping.set())
    run_attempt(context)


def run_attempt(context: JobContext) -> None:
    """Run the job's function and store its result or its error. What an attempt has published is not done again."""
    try:
        result = context.job.result if context.job.published else {}
        result = result or registry.handler(context.job.kind)(context)
        _close(context, lambda: services.finish(job_id=context.job.pk, token=context.token, result=result))
        points.reach("job.finished")
    except LeaseLost:
        logger.warning("job %s: lease lost, attempt %s stops", context.job.pk, context.attempt)
    except JobCancelled:
        _close(
            context,
            lambda: services.acknowledge_cancel(job_id=context.job.pk, token=context.token),
            keep=goes_on(context.job.kind),
        )
    except Draining:
        _close(context, lambda: services.release(job_id=context.job.pk, token=context.token), keep=True)
    except QuadratError as error:
        _fail(context, error)
    except (OperationalError, InterfaceError):
        # Nothing can be stored now: the worker settles the job as soon as it can.
        logger.exception("job %s: the database does not answer", context.job.pk)
        raise
    except Exception as error:  # noqa: BLE001 (the job runner: whatever a job raises becomes its error)
        _fail(context, _explain(error))


def remove_scratch(job_id: uuid.UUID) -> None:
    """Remove what a job kept between its attempts."""
    shutil.rmtree(scratch_folder(job_id), ignore_errors=True)


def _explain(error: Exception) -> QuadratError:
    logger.error("a job broke", exc_info=error)
    if isinstance(error, OSError) and error.errno in (28, 122):  # ENOSPC, EDQUOT
        return StorageFull("The disk is full.", fix="Make room for the site's files, then start the job again.")
    kind = type(error).__name__
    return Broken(
        f"The job broke: {kind}: {error}"[:2000],
        fix="Its log holds the traceback. Start it again; if it breaks again, tell an administrator.",
        details={"traceback": "".join(traceback.format_exception(error))},
    )


def _fail(context: JobContext, error: QuadratError) -> None:
    def store() -> None:
        if "traceback" in error.details:
            context.log(error.details["traceback"][-4000:], level="error")
        services.fail(job_id=context.job.pk, token=context.token, error=error)

    _close(context, store, keep=goes_on(context.job.kind))


def _close(context: JobContext, store: Callable[[], None], *, keep: bool = False) -> None:
    try:
        store()
    except LeaseLost:
        logger.warning("job %s: lease lost before its end was stored", context.job.pk)
        return
    if not keep:
        remove_scratch(context.job.pk)
