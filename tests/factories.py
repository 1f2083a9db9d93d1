"""Objects for tests: users, projects with members, layers. Plain functions, real rows."""

import shutil
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.test import Client

from webapp.features.models import FeatureClass, FeatureLayer
from webapp.imagery.models import ImageryLayer
from webapp.projects.models import ApiToken, Member, Project, Role, User

_numbers = count(1)

# A square kilometre or so in Banepa, Nepal.
WEST, SOUTH, EAST, NORTH = 85.515, 27.625, 85.525, 27.635


def make_user(name: str = "ana", **values: Any) -> User:
    """Return a user; the same name twice is the same user. `password` makes one who can sign in by form."""
    password = values.pop("password", None)
    user, created = User.objects.get_or_create(username=name, defaults=values)
    if created or password:
        if password:
            user.set_password(password)
        else:
            user.set_unusable_password()
        user.save()
    return user


def make_project(owner: User | None = None, **roles: User) -> Project:
    """Return a project with its owner and members by role: `make_project(ana, labeler=ben, viewer=eve)`."""
    project = Project.objects.create(name=f"Project {next(_numbers)}")
    Member.objects.create(project=project, user=owner or make_user("owner"), role=Role.OWNER)
    for role, user in roles.items():
        Member.objects.create(project=project, user=user, role=Role[role.upper()])
    return project


def make_imagery(project: Project, path: Path | None = None, **values: Any) -> ImageryLayer:
    """Return an imagery layer: of the raster at `path` (copied, as its analysis file), else a row without files."""
    defaults: dict[str, Any] = {
        "name": f"Scene {next(_numbers)}",
        "height": 512,
        "width": 512,
        "transform": [0.6, 0.0, 353_000.0, 0.0, -0.6, 3_057_000.0],
        "epsg": 32645,
        "gsd_m": 0.6,
        "dtype": "uint8",
        "bands": [{"name": name} for name in ("red", "green", "blue")],
        "footprint": MultiPolygon(Polygon.from_bbox((WEST, SOUTH, EAST, NORTH)), srid=4326),
    }
    if path is not None:
        defaults |= _read(path)
    return ImageryLayer.objects.create(project=project, **(defaults | values))


def make_layer(
    project: Project, classes: Sequence[tuple[int, str, str]] = ((1, "Tree", "#1b9e77"),), **values: Any
) -> FeatureLayer:
    """Return a feature layer with its classes as (value, name, colour)."""
    defaults: dict[str, Any] = {"name": f"Layer {next(_numbers)}", "kind": FeatureLayer.Kind.SAMPLES}
    layer = FeatureLayer.objects.create(project=project, **(defaults | values))
    for position, (value, name, colour) in enumerate(classes):
        FeatureClass.objects.create(layer=layer, value=value, name=name, colour=colour, position=position)
    return layer


def make_token(user: User, scopes: Sequence[str] = ("read", "edit", "run", "manage"), **values: Any) -> str:
    """Return a living API token of the user, as the user would see it once."""
    from webapp.projects.authentication import digest

    token = f"qdt_test{next(_numbers):036d}"
    ApiToken.objects.create(user=user, name="test", digest=digest(token), hint=token[:8], scopes=list(scopes), **values)
    return token


def client_for(user: User | None, **values: Any) -> Client:
    """Return a browser-like client, signed in as the user (None: a stranger)."""
    client = Client(**values)
    if user is not None:
        client.force_login(user)
    return client


def _read(path: Path) -> dict[str, Any]:
    from webapp.raster.read import info
    from webapp.raster.shapes import footprint, pixel_size_m

    found = info(path)
    folder = Path(settings.MEDIA_DIR) / "imagery"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"test-{next(_numbers)}{path.suffix}"
    shutil.copyfile(path, kept)
    outline = footprint(path)
    polygons = [Polygon(list(part.exterior.coords)) for part in getattr(outline, "geoms", [outline])]
    names = [name or f"band {number}" for number, name in enumerate(found.descriptions, start=1)]
    return {
        "name": path.stem,
        "analysis_path": str(kept.relative_to(settings.MEDIA_DIR)),
        "height": found.height,
        "width": found.width,
        "transform": list(found.transform),
        "epsg": found.epsg,
        "crs_wkt": found.crs_wkt,
        "gsd_m": pixel_size_m(found),
        "dtype": found.dtype,
        "nodata": found.nodata,
        "bands": [{"name": name} for name in names],
        "footprint": MultiPolygon(polygons, srid=4326),
    }
