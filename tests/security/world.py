"""One project with a member of every role and one object of every kind, for the tests that walk all routes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import rasterio
from affine import Affine
from django.conf import settings
from django.contrib.gis.geos import Point

from inference.models import Inference
from labeling.models import Comment, LabelSet, Proposal, Task
from tests.factories import make_imagery, make_layer, make_project, make_user
from training.models import ModelPackage, Run, TrainingData
from webapp.features.models import Edit, Feature, FeatureLayer
from webapp.imagery import mosaics
from webapp.imagery.models import NamedRendering, Upload
from webapp.jobs import services
from webapp.maps.models import Map, MapLayer
from webapp.photos import services as photos
from webapp.photos.models import Photo
from webapp.projects.invitations import invite
from webapp.projects.models import ApiToken, Member, Project, Role, User


@dataclass
class World:
    """The project, its people by role name, and its objects by the first words of the routes that name them."""

    project: Project
    people: dict[str, User]
    objects: dict[str, Any]
    others: dict[str, Any] = field(default_factory=dict)

    def kwargs(self, name: str, parameters: list[str]) -> dict[str, Any]:
        """Return URL arguments that lead a route to an object of this project."""
        found: dict[str, Any] = {}
        for parameter in parameters:
            if parameter == "pk":
                prefixes = [key for key in self.objects if name.removeprefix("api-").startswith(key)]
                assert prefixes, f"say in tests/security/world.py which object the route '{name}' names"
                found["pk"] = self.objects[max(prefixes, key=len)]
            else:
                assert parameter in self.others, f"say in tests/security/world.py what '{parameter}' of '{name}' is"
                found[parameter] = self.others[parameter]
        return found


def _write_scene() -> str:
    """Write a small raster where `make_imagery` says that its scene lies; return its path in MEDIA_DIR."""
    profile = {"driver": "GTiff", "count": 3, "dtype": "uint8", "height": 16, "width": 16, "crs": "EPSG:32645"}
    place = Affine(0.6, 0, 353_000, 0, -0.6, 3_057_000)
    with rasterio.open(Path(settings.MEDIA_DIR) / "scene.tif", "w", transform=place, **profile) as target:
        target.write(np.full((3, 16, 16), 100, np.uint8))
    return "scene.tif"


def _photo(layer: FeatureLayer) -> Photo:
    """Return a photo that stands on the map's layer."""
    (Path(settings.MEDIA_DIR) / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    point = Feature.objects.create(layer=layer, fid=2, geometry=Point(85.52, 27.63, srid=4326))
    files = {"picture_path": "photo.jpg", "thumbnail_path": "photo.jpg", "size_bytes": 6}
    return Photo.objects.create(pk=point.pk, layer=layer, name="a.jpg", sha256="0" * 64, width=1, height=1, **files)


def make_world() -> World:
    """Return a new world."""
    people = {role.label: make_user(role.label) for role in Role}
    project = make_project(people["owner"], **{name: user for name, user in people.items() if name != "owner"})
    people["outsider"] = make_user("outsider")
    make_project(people["outsider"])
    imagery, layer = make_imagery(project, analysis_path=_write_scene()), make_layer(project)
    feature = Feature.objects.create(layer=layer, fid=1, geometry=imagery.footprint[0], class_value=1)
    Edit.objects.create(
        layer=layer, seq=1, op_id=uuid4(), feature_id=feature.pk, action="create", version=1, geometry=feature.geometry
    )
    FeatureLayer.objects.filter(pk=layer.pk).update(seq=1)
    (Path(settings.MEDIA_DIR) / "package.dlpk").write_bytes(b"PK")
    label_set = LabelSet.objects.create(project=project, name="Labels", imagery=imagery, layer=layer)
    cell = imagery.footprint[0]
    task = Task.objects.create(label_set=label_set, number=1, geometry=cell, centre=cell.centroid)
    comment = Comment.objects.create(label_set=label_set, place=cell.centroid, text="Look", author=people["owner"])
    proposal = Proposal.objects.create(task=task, token=0, op_ids=[uuid4()], feature_id=feature.pk, action="delete")
    job = services.enqueue(project=project, kind="ingest", spec={}, user=people["owner"], title="Ingest")
    upload = Upload.objects.create(project=project, user=people["labeler"], filename="a.tif", size_bytes=10)
    data = TrainingData.objects.create(
        project=project,
        name="Chips",
        label_set=label_set,
        layer_seq=0,
        imagery_version=1,
        metadata_format="Classified_Tiles",
    )
    run = Run.objects.create(project=project, name="Run", training_data=data, network="unet")
    package = ModelPackage.objects.create(
        project=project,
        name="Package",
        task="classify_pixels",
        network="unet",
        path="package.dlpk",
        sha256="0" * 64,
        size_bytes=1,
        dtype="uint8",
        resolution_m=0.6,
        chip_px=256,
    )
    inference = Inference.objects.create(
        project=project,
        name="Inference",
        task="classify_pixels",
        package=package,
        imagery=imagery,
        imagery_version=1,
        settings={"numbers": 0, "asked": {"polygons": False}},
    )
    a_map = Map.objects.create(project=project, name="Map")
    map_layer = MapLayer.objects.create(map=a_map, position=0, features=layer)
    photo = _photo(layer)
    token = ApiToken.objects.create(user=people["owner"], name="t", digest="x", hint="qdt_x", scopes=["read"])
    invitation, link = invite(project=project, user=people["owner"], role=Role.LABELER, max_uses=None)
    objects: dict[str, UUID] = {
        "project": project.pk,
        "job": job.pk,
        "imagery": imagery.pk,
        "upload": upload.pk,
        "layer": layer.pk,
        "map": a_map.pk,
        "photo": photo.pk,
        **dict.fromkeys(
            ("photos", "photo-set", "photo-files", "photo-read"),
            photos.create_set(project=project, name="P", user=None).pk,
        ),
        "label": label_set.pk,
        "task": task.pk,
        "proposal": proposal.pk,
        "comment": comment.pk,
        "training-data": data.pk,
        "run": run.pk,
        "model": package.pk,
        "inference": inference.pk,
        "token": token.pk,
        "ogc": layer.pk,
        "ogc-map": imagery.pk,
        "stac": project.pk,
        "stac-file": imagery.pk,
    }
    wkt = rasterio.CRS.from_epsg(32645).to_wkt()
    part = make_imagery(project, analysis_path=imagery.analysis_path, crs_wkt=wkt)
    mosaic = mosaics.create(project=project, user=None, name="Mosaic", scenes=[part.pk], rule="first")
    objects["imagery-mosaic"] = mosaic.pk
    NamedRendering.objects.create(layer=imagery, name="look", words={"bidx": ["1"]})
    files = [
        services.enqueue(project=project, kind=kind, spec={"layer": str(layer.pk)}, user=None, title=kind)
        for kind in ("inspect_features", "export_features")
    ]
    others = {
        "look_pk": files[0].pk,
        "export_pk": files[1].pk,
        "rendering_name": "look",
        "bounds": "85.515,27.625,85.525,27.635",
        "size": "16x16",
        "form": "png",
        "member_pk": Member.objects.get(project=project, user=people["viewer"]).pk,
        "feature_id": feature.pk,
        "feature": feature.pk,
        "layer": map_layer.pk,
        "photo": photo.pk,
        "number": 0,
        "what": "truth",
        "collection": layer.pk,
        "layer_id": layer.pk,
        "item_id": imagery.pk,
        "name": "WebMercatorQuad",
        "note": "a-note",
        "level": 1,
        "matrices": "WebMercatorQuad",
        "z": 9,
        "row": 0,
        "col": 0,
        "invitation_pk": invitation.pk,
        "token": link,
        "unknown": uuid4(),
    }
    return World(project, people, objects, others)
