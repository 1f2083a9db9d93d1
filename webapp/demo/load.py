"""Loading the demo: a project with real imagery and hundreds of real labels, through the same services as any other."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import transaction

from labeling import services as labeling
from labeling.models import LabelSet
from webapp.demo import sources
from webapp.demo.selectors import PROJECT, USER, find_project
from webapp.demo.sources import Scene
from webapp.errors import Unavailable
from webapp.features import services as features
from webapp.features.models import Feature
from webapp.features.services import NewFeature
from webapp.imagery import uploads
from webapp.imagery.models import ImageryLayer
from webapp.jobs import runner
from webapp.jobs.models import Job
from webapp.projects import services as projects
from webapp.projects.models import Project, User

logger = logging.getLogger(__name__)

DESCRIPTION = (
    "NEON imagery of Yellowstone and Florida with tree crowns that people drew. The demo trains a model on the north "
    "of one scene and measures it on the south, which it never saw."
)
CLASSES = [(1, "Tree", "#1b9e77")]
PIECE_BYTES = 8 * 1024**2

Tell = Callable[[str], None]


def load(tell: Tell) -> Project:
    """Return the demo's project after bringing in what is missing of its user, imagery and labels.

    Raises:
        Unavailable: the pictures are not installed.
        QuadratError: a picture cannot be ingested.
    """
    user = demo_user()
    project = find_project() or projects.create_project(name=PROJECT, description=DESCRIPTION, user=user)
    for scene in sources.SCENES:
        layer = ImageryLayer.objects.filter(project=project, name=scene.name).first() or ingest(scene, project, user)
        found = LabelSet.objects.filter(project=project, name=scene.name).first()
        count = found.layer.features.count() if found else import_labels(scene, layer, user)
        tell(f"{scene.name}: {layer.width} x {layer.height} pixels, {count} labels")
    return project


def demo_user() -> User:
    """Return the user `demo`, made as an administrator with the password of the secrets file.

    On a fresh site nobody else is there to make further users. Without a password it can only be given one by
    `manage.py changepassword demo`.
    """
    found = User.objects.filter(username=USER).first()
    if found is not None:
        return found
    return User.objects.create_superuser(username=USER, password=settings.DEMO_PASSWORD or None)


def ingest(scene: Scene, project: Project, user: User) -> ImageryLayer:
    """Return the scene's imagery layer, made by the same sandboxed job as any upload.

    Raises:
        Unavailable: the job did not succeed; the message holds its error.
    """
    data = (sources.folder() / scene.picture).read_bytes()
    upload = uploads.begin(
        project=project,
        user=user,
        filename=scene.picture,
        size_bytes=len(data),
        position=position(scene),
        options={"name": scene.name, "attribution": sources.ATTRIBUTION},
    )
    for start in range(0, len(data), PIECE_BYTES):
        uploads.append(upload=upload, offset=start, data=data[start : start + PIECE_BYTES])
    job = runner.run_now(uploads.complete(upload=upload))
    if job.state != Job.State.SUCCEEDED:
        raise Unavailable(f"{scene.picture} could not be ingested: {job.error_message}", fix=job.error_fix)
    return ImageryLayer.objects.get(job=job)


def position(scene: Scene) -> dict[str, object]:
    """Return what an upload says about the picture's place; nothing where the file knows it itself."""
    if not scene.note:
        return {}
    return {"bounds": list(sources.bounds(scene)), "epsg": scene.epsg, "note": scene.note}


def import_labels(scene: Scene, layer: ImageryLayer, user: User) -> int:
    """Return how many crowns were imported into a new label set over the layer."""
    with transaction.atomic():
        label_set = labeling.create_label_set(
            project=layer.project,
            name=scene.name,
            imagery=layer,
            classes=CLASSES,
            user=user,
            description=f"Tree crowns as boxes. {sources.ATTRIBUTION}.",
        )
        crowns = (
            NewFeature(geometry=crown, class_value=1, source=Feature.Source.IMPORT, verified=True)
            for crown in sources.crowns(scene)
        )
        return features.add_features(layer=label_set.layer, features=crowns, user=user)
