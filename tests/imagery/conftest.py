"""What the tests of uploads share: one way in, and a look at what is left behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.factories import make_project, make_user
from webapp.imagery import tile_work, tiles, uploads
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import Project

Ingest = Callable[..., Job]


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Each test starts with an edge of tiles that remembers nothing."""
    tile_work.forget()
    tiles.cache.clear()
    tiles._tokens.clear()


@pytest.fixture
def project() -> Project:
    return make_project(make_user("ana"))


@pytest.fixture
def ingest(project: Project) -> Ingest:
    """Return a function that uploads a file and runs its job to the end."""

    def run(path: Path, position: dict[str, Any] | None = None, **options: Any) -> Job:
        data = path.read_bytes()
        upload = uploads.begin(
            project=project,
            user=make_user("ana"),
            filename=path.name,
            size_bytes=len(data),
            position=position or {},
            options=options,
        )
        uploads.append(upload=upload, offset=0, data=data)
        return run_now(uploads.complete(upload=upload))

    return run


def left_behind() -> list[Path]:
    """Return every file of the site but those of the job's log."""
    folders = (settings.MEDIA_DIR, settings.QUARANTINE_DIR, settings.SCRATCH_DIR)
    return [path for folder in folders for path in Path(folder).rglob("*") if path.is_file()]
