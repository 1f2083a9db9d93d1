"""Scenes in a scratch database, for measurements in a browser: they go the way of every upload."""

from pathlib import Path

from django.conf import settings

from webapp.imagery import uploads
from webapp.imagery.models import ImageryLayer
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import Project, User
from webapp.projects.services import create_project


def owner(name: str) -> tuple[User, Project]:
    """Return the user of measurements, and a new project of theirs."""
    user, _ = User.objects.get_or_create(username="bench")
    return user, create_project(name=name, user=user)


def ingested(project: Project, user: User, path: Path) -> ImageryLayer:
    """Return the imagery layer made of a file."""
    for folder in (settings.MEDIA_DIR, settings.QUARANTINE_DIR, settings.SCRATCH_DIR):
        Path(folder).mkdir(parents=True, exist_ok=True)
    data = path.read_bytes()
    upload = uploads.begin(
        project=project, user=user, filename=path.name, size_bytes=len(data), position={}, options={"name": path.stem}
    )
    uploads.append(upload=upload, offset=0, data=data)
    job = run_now(uploads.complete(upload=upload))
    if job.state != Job.State.SUCCEEDED:
        raise RuntimeError(job.error)
    return ImageryLayer.objects.get(pk=job.result["imagery"])
