"""Real imagery and its labels for browser tests: the NEON picture of the deepforest package, ingested as by a user."""

import csv
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from shapely.geometry import box

from webapp.features.bulk import NewFeature, add_features
from webapp.features.models import FeatureLayer
from webapp.features.services import create_layer
from webapp.imagery import selectors, uploads
from webapp.imagery.models import ImageryLayer
from webapp.jobs.runner import run_now
from webapp.projects.models import Project, User
from webapp.raster.read import Info, info
from webapp.raster.shapes import to_crs


def folder() -> Path:
    """Return the data folder of the deepforest package; the package itself is never imported."""
    found = find_spec("deepforest")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "data"


def make_scene(project: Project, user: User, name: str = "OSBS_029") -> ImageryLayer:
    """Return a 40 m square of Florida at 10 cm, uploaded and ingested."""
    data = (folder() / "OSBS_029.tif").read_bytes()
    options = {"name": name, "attribution": "NEON"}
    upload = uploads.begin(
        project=project, user=user, filename="OSBS_029.tif", size_bytes=len(data), position={}, options=options
    )
    uploads.append(upload=upload, offset=0, data=data)
    job = run_now(uploads.complete(upload=upload))
    return ImageryLayer.objects.get(pk=job.result["imagery"])


def make_trees(project: Project, user: User, scene: ImageryLayer, name: str = "Trees") -> FeatureLayer:
    """Return a feature layer of the 61 tree boxes that people drew on the scene."""
    layer = create_layer(project=project, name=name, kind="samples", classes=[(1, "Tree", "#1b9e77")], user=user)
    add_features(layer=layer, features=_boxes(info(selectors.analysis_file(scene))), user=user)
    layer.refresh_from_db()
    return layer


def pixel_box(found: Info, left: float, top: float, right: float, bottom: float) -> NewFeature:
    """Return a tree around pixel columns and rows of the scene."""
    a, _, west, _, e, north = found.transform
    outline = box(west + a * left, north + e * bottom, west + a * right, north + e * top)
    return NewFeature(to_crs(outline, found.crs_wkt, 4326), class_value=1, source="import")


def _boxes(found: Info) -> Iterator[NewFeature]:
    with (folder() / "OSBS_029.csv").open() as rows:
        for row in csv.DictReader(rows):
            yield pixel_box(found, *(float(row[key]) for key in ("xmin", "ymin", "xmax", "ymax")))
