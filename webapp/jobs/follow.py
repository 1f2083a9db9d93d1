"""Running a job from a command: in this process, or by a worker that was faster, with its progress on the terminal."""

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connection
from tqdm import tqdm

from webapp.errors import QuadratError
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.jobs.services import FINAL, LeaseLost

LOOK_EVERY_S = 0.5


def follow(job: Job, *, as_json: bool, write: Callable[[str], Any]) -> dict[str, Any]:
    """Return the result of a job once it has ended.

    Args:
        job: queued.
        as_json: progress as JSON lines to `write` instead of a bar on standard error.
        write: takes a line.

    Raises:
        QuadratError: the job failed or was cancelled; with its code, message and fix.
    """
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(job.pk, job.title, done, as_json, write), daemon=True)
    watcher.start()
    try:
        ended = _finished(job)
    finally:
        done.set()
        watcher.join()
    if ended.state != Job.State.SUCCEEDED:
        raise QuadratError(
            ended.error_message or f"The job ended as {ended.state}.",
            fix=ended.error_fix,
            code=ended.error_code or ended.state,
        )
    return dict(ended.result)


def _finished(job: Job) -> Job:
    try:
        return run_now(job)
    except LeaseLost:
        while job.state not in FINAL:
            time.sleep(LOOK_EVERY_S)
            job.refresh_from_db()
        return job


def _watch(pk: UUID, title: str, done: threading.Event, as_json: bool, write: Callable[[str], Any]) -> None:
    """Show progress until the job is done: it works on the main thread and tells the database."""
    bar = (
        None
        if as_json
        else tqdm(total=100, desc=title, file=sys.stderr, bar_format="{desc}: {bar} {n:.0f} % {postfix}")
    )
    told = ("", -1.0)
    try:
        while not done.wait(LOOK_EVERY_S):
            message, progress = Job.objects.values_list("message", "progress").get(pk=pk)
            if (message, progress) == told:
                continue
            told = (message, progress)
            if bar is None:
                write(json.dumps({"progress": round(progress, 4), "message": message}))
            else:
                bar.n = round(100 * progress)
                bar.set_postfix_str(message)
    finally:
        if bar is not None:
            bar.close()
        # This thread's own connection.
        connection.close()
