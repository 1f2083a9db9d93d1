"""Running a job again: which kinds can, what checks their inputs, and who may.

Named by string, as in `registry`: the rooms above know what a job of theirs needs, this one does not.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from webapp.errors import Conflict, Invalid
from webapp.jobs.context import scratch_folder
from webapp.jobs.models import Job
from webapp.jobs.services import enqueue, log_line
from webapp.projects.models import User
from webapp.projects.routes import ROUTES, Rule

# Makes sure that the inputs are there, and points the rows of the old job (first) at the new one.
Adopt = Callable[[Job, Job], None]
AGAIN = (Job.State.FAILED, Job.State.CANCELLED)


@dataclass(frozen=True)
class Kind:
    """How jobs of one kind are run again.

    Attributes:
        adopt: dotted name of the function that checks the inputs and hands the rows over.
        route: whose POST starts such a job: its rule says who may run it again.
        goes_on: what a failed or cancelled one had stored is kept, and the next one goes on from there.
    """

    adopt: str
    route: str
    goes_on: bool = False


KINDS: dict[str, Kind] = {
    "ingest": Kind("webapp.imagery.uploads:run_again", "api-upload-complete"),
    "mosaic": Kind("webapp.imagery.mosaics:run_again", "api-mosaics"),
    "import_features": Kind("webapp.features.importing:run_again", "api-layer-import"),
    "export_features": Kind("webapp.features.outgoing:run_again", "api-layer-exports"),
    "restore_features": Kind("webapp.features.restoring:run_again", "api-layer-restore"),
    "suggest_samples": Kind("labeling.suggestions:run_again", "api-label-set-suggestions"),
    "read_photos": Kind("webapp.photos.services:run_again", "api-photo-read", goes_on=True),
    "export_training_data": Kind("training.services:export_again", "api-training-data-list"),
    "train": Kind("training.services:train_again", "api-runs", goes_on=True),
    "install_package": Kind("training.services:install_again", "api-models"),
    "classify_pixels": Kind("inference.services:run_again", "api-inferences"),
    "detect_objects": Kind("inference.services:run_again", "api-inferences"),
    "demo": Kind("webapp.demo.services:run_again", "api-demo"),
}


def keeps_files() -> Q:
    """Return which jobs need their scratch folder and their files in quarantine: unfinished, or to be run again.

    What a failed or cancelled job had is kept for QUADRAT_COLLECT_GRACE_H hours.
    """
    recent = Now() - timedelta(hours=settings.COLLECT_GRACE_H)
    return Q(finished_at=None) | Q(state__in=AGAIN, finished_at__gt=recent, restarted_by=None)


def goes_on(kind: str) -> bool:
    """Return True where a job of this kind, run again, goes on from what the last one stored."""
    return kind in KINDS and KINDS[kind].goes_on


def can_restart(job: Job) -> bool:
    """Return True for a job that has failed or was cancelled, was not run again yet, and whose kind allows it."""
    return job.state in AGAIN and job.kind in KINDS and not Job.objects.filter(restarts=job).exists()


def rule_of(job: Job) -> Rule:
    """Return who may run a job again: whoever may start one like it.

    Raises:
        Invalid: jobs of this kind are not run again.
    """
    if job.kind not in KINDS:
        raise Invalid(f"A job of the kind '{job.kind}' is not run again.", fix="Start it anew where you started it.")
    return ROUTES[KINDS[job.kind].route]["POST"]


def restart(*, job: Job, user: User) -> Job:
    """Return a new, queued job with the spec of one that failed or was cancelled.

    Raises:
        Conflict: the job has not failed, was run again already, or its inputs are gone.
        Invalid: jobs of this kind are not run again.
        TooMany: the project has too many unfinished jobs.
    """
    rule_of(job)
    with transaction.atomic():
        old = Job.objects.select_for_update(of=("self",), no_key=True).select_related("project").get(pk=job.pk)
        if old.state not in AGAIN:
            raise Conflict(f"The job is {old.state}.", fix="Only failed and cancelled jobs are run again.")
        later = Job.objects.filter(restarts=old).first()
        if later is not None:
            raise Conflict(
                "The job was run again already.",
                fix="Open the newer one.",
                code="restarted",
                details={"job": str(later.pk), "url": later.get_absolute_url()},
            )
        new = enqueue(
            project=old.project,
            kind=old.kind,
            spec=old.spec,
            user=user,
            title=old.title,
            lane=old.lane,
            priority=old.priority,
            restarts=old,
        )
        _adopt(old.kind)(old, new)
        kept = goes_on(old.kind) and _hand_over(old.pk, new.pk)
        log_line(
            new, "Goes on from what the job before had stored." if kept else "Starts anew; nothing stored is used."
        )
    return new


def inputs_gone(what: str, fix: str) -> Conflict:
    """Return the error for a job whose inputs are no longer there."""
    return Conflict(f"{what} is gone, so the job cannot be run again.", fix=fix, code="inputs_gone")


def _adopt(kind: str) -> Adopt:
    module, _, name = KINDS[kind].adopt.partition(":")
    found: Adopt = getattr(import_module(module), name)
    return found


def _hand_over(old: uuid.UUID, new: uuid.UUID) -> bool:
    """Move the old job's scratch folder to the new one; False where nothing was kept.

    Before the commit: a worker cannot claim the new job yet. If the commit fails, only the saving is lost.
    """
    try:
        scratch_folder(old).rename(scratch_folder(new))
    except OSError:
        return False
    return True
