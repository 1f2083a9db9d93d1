"""Starting the demo, and the pass it travels with."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from webapp.errors import Conflict
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.notebook.client import Client
from webapp.projects import services as projects
from webapp.projects.models import Project, User

TOKEN_LIFE = timedelta(minutes=30)
SCOPES = ["read", "edit", "run"]


def start(*, project: Project, user: User) -> Job:
    """Return the demo's job: the one under way, else a new one."""
    running = Job.objects.filter(project=project, kind="demo", finished_at=None).first()
    if running is not None:
        return running
    return jobs.enqueue(project=project, kind="demo", spec={}, user=user, title="Run the demo", lane=Job.Lane.LIGHT)


def run_again(old: Job, new: Job) -> None:
    """Make sure that the demo does not run twice at once.

    Raises:
        Conflict: it is under way.
    """
    if Job.objects.filter(project=old.project, kind="demo", finished_at=None).exclude(pk=new.pk).exists():
        raise Conflict("The demo is under way.", fix="Wait until it has ended.")


@contextmanager
def api_client(*, project: Project, user: User) -> Iterator[Client]:
    """Yield a client of our own site whose token may do no more than the demo needs, and lives no longer."""
    token, raw = projects.create_token(
        user=user, name="Demo run", scopes=SCOPES, expires_at=timezone.now() + TOKEN_LIFE, project=project
    )
    try:
        yield Client(settings.INTERNAL_URL.rstrip("/"), raw, _headers())
    finally:
        projects.revoke_token(token=token, user=user)


def _headers() -> dict[str, str]:
    """Return headers that our own site expects of its proxy, where it has one."""
    named = [host for host in settings.ALLOWED_HOSTS if host not in ("*", "localhost") and not host.startswith(".")]
    headers = {"Host": named[0]} if named and "localhost" not in settings.ALLOWED_HOSTS else {}
    if settings.PROXY_HTTPS_HEADER:
        headers[settings.PROXY_HTTPS_HEADER] = "https" if settings.HTTPS else "http"
    return headers
