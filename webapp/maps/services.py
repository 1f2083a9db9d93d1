"""Writes of maps. Every change raises the map's version and rings `map:<id>`, so that open viewers follow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from webapp import doorbell
from webapp.errors import Conflict, Invalid, NotFound
from webapp.features.models import FeatureLayer
from webapp.imagery.models import ImageryLayer
from webapp.maps import styles
from webapp.maps.models import Map, MapLayer
from webapp.projects.models import AuditEntry, Project, User

Layer = ImageryLayer | FeatureLayer

MAX_NAME = 200
MAX_LAYERS = 100
PHOTO_COLOUR = "#136f63"


@dataclass(frozen=True)
class Compare:
    """Two layers beside each other.

    Attributes:
        mode: "swipe" or "side".
        left: id of the imagery or feature layer that is seen on the left.
        right: the other one.
        at: where the divider stands, 0 to 1.
    """

    mode: str
    left: UUID
    right: UUID
    at: float


@dataclass(frozen=True)
class View:
    """How a map opens: centre in degrees, Leaflet's zoom, two layers compared, a moment of its imagery (ISO 8601)."""

    lon: float
    lat: float
    zoom: float
    compare: Compare | None = None
    time: str | None = None


@dataclass(frozen=True)
class LayerChange:
    """What to change of a layer on a map; None leaves it."""

    title: str | None = None
    visible: bool | None = None
    opacity: float | None = None
    style: dict[str, Any] | None = None


def create_map(*, project: Project, name: str, user: User | None, layers: Sequence[Layer] = ()) -> Map:
    """Return a new map of the project with the layers, the first one at the bottom.

    Raises:
        Invalid: the name is empty or too long, or a layer is of another project.
    """
    with transaction.atomic():
        made = Map.objects.create(project=project, name=_name(name), created_by=user)
        for layer in layers:
            add_layer(map=made, layer=layer)
    made.refresh_from_db()
    return made


def rename(*, map: Map, name: str | None = None, description: str | None = None) -> None:
    """Change what a map is called.

    Raises:
        Invalid: the name is empty or too long.
    """
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = _name(name)
    if description is not None:
        changes["description"] = description.strip()
    touch(map, **changes)


def save_view(*, map: Map, view: View) -> None:
    """Make the map open at a place.

    Raises:
        Invalid: the place is not on Earth.
    """
    numbers = (view.lon, view.lat, view.zoom)
    if not all(map_number(value) for value in numbers) or not -90 <= view.lat <= 90 or not 0 <= view.zoom <= 30:
        raise Invalid("This view is not on Earth.", fix="Send lon -180 to 180, lat -90 to 90, zoom 0 to 30.")
    lon = (view.lon + 180) % 360 - 180
    kept: dict[str, Any] = {"lon": round(lon, 7), "lat": round(view.lat, 7), "zoom": round(view.zoom, 2)}
    if view.compare is not None:
        kept["compare"] = _compare(view.compare)
    if view.time is not None:
        if parse_datetime(view.time) is None:
            raise Invalid(f"'{view.time[:40]}' is no time.", fix="Send it as 2026-11-23T10:00:00Z.")
        kept["time"] = view.time
    touch(map, view=kept)


def share(*, map: Map, share: str, user: User) -> None:
    """Open a map to who made it and managers, to members, to anybody with the link, or to everybody.

    Raises:
        Invalid: `share` is none of these.
    """
    if share not in Map.Share.values:
        raise Invalid(f'"{share}" is no way to share a map.', fix=f"Send {', '.join(Map.Share.values)}.")
    with transaction.atomic():
        touch(map, share=share)
        AuditEntry.objects.create(
            project_id=map.project_id, actor=user, action="map.share", target=str(map.pk), details={"share": share}
        )


def delete_map(*, map: Map) -> None:
    """Delete the map; its layers stay."""
    with transaction.atomic():
        doorbell.ring(f"map:{map.pk}", map.version + 1)
        map.delete()


def add_layer(*, map: Map, layer: Layer, title: str = "", style: dict[str, Any] | None = None) -> MapLayer:
    """Put a layer on top of the map and return it.

    Raises:
        Invalid: the layer is of another project, or the map is full.
        Conflict: the layer is on the map already.
    """
    if layer.project_id != map.project_id:
        raise Invalid("The layer belongs to another project.", fix="Add layers of the map's own project.")
    key: dict[str, Any] = {"imagery": layer} if isinstance(layer, ImageryLayer) else {"features": layer}
    with transaction.atomic():
        touch(map)
        placed = MapLayer.objects.filter(map=map)
        if placed.filter(**key).exists():
            raise Conflict(f'"{layer.name}" is on this map already.', fix="Show it in the layer list.")
        if placed.count() >= MAX_LAYERS:
            raise Invalid(f"The map holds {MAX_LAYERS} layers, its limit.", fix="Remove one, or make another map.")
        top = placed.aggregate(top=Max("position"))["top"]
        return MapLayer.objects.create(
            map=map,
            position=0 if top is None else top + 1,
            title=title.strip(),
            style=styles.checked(style or _first_style(layer), layer),
            opacity=_first_opacity(layer),
            **key,
        )


def change_layer(*, layer: MapLayer, change: LayerChange) -> None:
    """Change how a layer is shown.

    Raises:
        Invalid: the opacity is not 0 to 1, the title is too long, or the style is not understood.
    """
    values: dict[str, Any] = {}
    if change.title is not None:
        if len(change.title) > MAX_NAME:
            raise Invalid(f"The title has {len(change.title)} characters.", fix=f"Keep to {MAX_NAME}.")
        values["title"] = change.title.strip()
    if change.visible is not None:
        values["visible"] = change.visible
    if change.opacity is not None:
        if not map_number(change.opacity) or not 0 <= change.opacity <= 1:
            raise Invalid(f"An opacity of {change.opacity} is not possible.", fix="Send 0 to 1.")
        values["opacity"] = change.opacity
    if change.style is not None:
        values["style"] = styles.checked(change.style, layer.source)
    with transaction.atomic():
        MapLayer.objects.filter(pk=layer.pk).update(**values)
        touch(layer.map)


def reorder(*, map: Map, layers: Sequence[int]) -> None:
    """Stack the layers in this order, the first one at the bottom.

    Raises:
        Conflict: these are not exactly the map's layers: somebody added or removed one.
    """
    with transaction.atomic():
        touch(map)
        rows = {row.pk: row for row in MapLayer.objects.filter(map=map)}
        if sorted(rows) != sorted(layers):
            raise Conflict("The layers of this map have changed.", fix="Load the map again.")
        for position, pk in enumerate(layers):
            rows[pk].position = position
        MapLayer.objects.bulk_update(rows.values(), ["position"])


def remove_layer(*, layer: MapLayer) -> None:
    """Take a layer off the map; the layer itself stays."""
    with transaction.atomic():
        layer.delete()
        touch(layer.map)


def find_layer(*, project_id: UUID, kind: str, pk: UUID) -> Layer:
    """Return an imagery layer or feature layer of the project.

    Raises:
        Invalid: the kind is neither "imagery" nor "features".
        NotFound: the project has none such.
    """
    if kind not in ("imagery", "features"):
        raise Invalid(f'"{kind}" is no kind of layer.', fix='Send "imagery" or "features".')
    found: Layer | None
    if kind == "imagery":
        found = ImageryLayer.objects.filter(pk=pk, project_id=project_id).first()
    else:
        found = FeatureLayer.objects.filter(pk=pk, project_id=project_id).first()
    if found is None:
        raise NotFound("layer")
    return found


def map_number(value: object) -> bool:
    """Return whether a value is a finite number (true and false are none)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _first_opacity(layer: Layer) -> float:
    # A class raster hides the scene that it explains, so it starts half-way through.
    return 0.7 if isinstance(layer, ImageryLayer) and layer.kind == ImageryLayer.Kind.CLASS_RASTER else 1.0


def _first_style(layer: Layer) -> dict[str, Any]:
    # Photos have no classes that could colour them.
    photos = isinstance(layer, FeatureLayer) and layer.kind == FeatureLayer.Kind.PHOTOS
    return {"by": "single", "colour": PHOTO_COLOUR, "radius": 6} if photos else {}


def touch(map: Map, **values: Any) -> None:
    """Change fields, raise the version and ring. The row lock makes changes of one map follow each other."""
    with transaction.atomic():
        changed = Map.objects.filter(pk=map.pk).update(version=F("version") + 1, updated_at=timezone.now(), **values)
        if not changed:
            raise NotFound("map")
        map.refresh_from_db()
        doorbell.ring(f"map:{map.pk}", map.version)


def _compare(compare: Compare) -> dict[str, Any]:
    if compare.mode not in ("swipe", "side") or compare.left == compare.right or not 0 <= compare.at <= 1:
        raise Invalid("This comparison is not possible.", fix='Send "swipe" or "side" and two layers.')
    return {"mode": compare.mode, "left": str(compare.left), "right": str(compare.right), "at": round(compare.at, 3)}


def _name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > MAX_NAME:
        raise Invalid(f"A name of {len(name)} characters is not possible.", fix=f"Use 1 to {MAX_NAME} characters.")
    return name
