"""Which function does which kind of job. Named by string: the web process must not import what runs a job."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings

from webapp.errors import Invalid

if TYPE_CHECKING:
    from webapp.jobs.context import JobContext

Handler = Callable[["JobContext"], dict[str, Any]]

KINDS: dict[str, str] = {
    "ingest": "webapp.imagery.jobs:ingest",
    "mosaic": "webapp.imagery.mosaic_jobs:make_overview",
    "inspect_features": "webapp.features.jobs:inspect_features",
    "import_features": "webapp.features.jobs:import_features",
    "export_features": "webapp.features.export_jobs:export_features",
    "restore_features": "webapp.features.jobs:restore_features",
    "suggest_samples": "labeling.jobs:suggest_samples",
    "read_photos": "webapp.photos.jobs:read_photos",
    "export_training_data": "training.jobs:export_training_data",
    "train": "training.jobs:train",
    "install_package": "training.jobs:install_package",
    "classify_pixels": "inference.jobs:classify_pixels",
    "detect_objects": "inference.jobs:detect_objects",
    "demo": "webapp.demo.jobs:run",
    "collect": "webapp.housekeeping.jobs:run",
}


def kinds() -> dict[str, str]:
    """Return every kind of job with its function: ours and those of QUADRAT_EXTRA_JOB_KINDS."""
    return {**KINDS, **settings.EXTRA_JOB_KINDS}


def check_kind(kind: str) -> None:
    """Refuse a kind that nothing runs.

    Raises:
        Invalid: the kind is not registered.
    """
    if kind not in kinds():
        raise Invalid(f"There is no kind of job '{kind}'.", fix=f"Use one of {', '.join(sorted(kinds()))}.")


def handler(kind: str) -> Handler:
    """Import and return the function of a kind."""
    check_kind(kind)
    module, _, name = kinds()[kind].partition(":")
    found: Handler = getattr(import_module(module), name)
    return found
