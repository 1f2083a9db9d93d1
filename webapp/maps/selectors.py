"""Reads of maps."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Q
from django.urls import reverse

from webapp.errors import NotFound
from webapp.features.models import FeatureLayer
from webapp.features.selectors import feature_json, statistics
from webapp.features.selectors import layer_json as features_json
from webapp.imagery.classes import class_areas
from webapp.imagery.looks import picture
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import drawn_json as imagery_json
from webapp.maps import basemaps
from webapp.maps.models import Map, MapLayer
from webapp.projects.models import Member, Project, Role, User

# A change of more edits than this is not worth a look at where they are: all tiles are asked for again.
MOST_EDITS_LOOKED_AT = 20_000
MOST_CANDIDATES = 50
MOST_PUBLIC = 200


@dataclass(frozen=True)
class LayerState:
    """What tells a viewer that a layer is newer than what it shows.

    Attributes:
        layer: id of the MapLayer.
        kind: "imagery" or "features".
        source: id of the imagery or feature layer.
        number: imagery version, or last edit of the feature layer.
        state: "building" or "ready".
        schema: rises when the classes change; 0 for imagery.
    """

    layer: int
    kind: str
    source: UUID
    number: int
    state: str
    schema: int


@dataclass(frozen=True)
class MapState:
    """A map's version and its layers' states; `author` is the id of who made it."""

    version: int
    share: str
    author: int | None
    layers: tuple[LayerState, ...]


def map_of(pk: UUID | str) -> Map:
    """Return the map with its project.

    Raises:
        NotFound: there is none.
    """
    found = Map.objects.select_related("project").filter(pk=pk).first()
    if found is None:
        raise NotFound("map")
    return found


def layer_of(map: Map, pk: int) -> MapLayer:
    """Return a layer of the map.

    Raises:
        NotFound: the map has no such layer.
    """
    found = MapLayer.objects.select_related("map", "imagery", "features").filter(map=map, pk=pk).first()
    if found is None:
        raise NotFound("layer")
    return found


def map_json(map: Map, role: Role | None) -> dict[str, Any]:
    """Return the map with all its layers, the bottom one first, and what the caller may do."""
    rows = MapLayer.objects.filter(map=map).select_related(
        "imagery__project", "features__project", "imagery__job", "features__job"
    )
    rows = rows.prefetch_related("imagery__renderings")
    return {
        **summary(map),
        "view": map.view,
        "basemap": basemaps.under(map),
        "bookmarks": map.bookmarks,
        "notes": map.notes,
        "role": None if role is None else role.label,
        "can_edit": role is not None and role >= Role.LABELER,
        "can_share": role is not None and role >= Role.MANAGER,
        "layers": [_with_origin(row, role) for row in rows.order_by("position", "id")],
    }


def summary(map: Map) -> dict[str, Any]:
    """Return the map as a list shows it."""
    return {
        "id": str(map.pk),
        "project": str(map.project_id),
        "name": map.name,
        "description": map.description,
        "share": map.share,
        "version": map.version,
        "created_at": map.created_at.isoformat(),
        "updated_at": map.updated_at.isoformat(),
        "url": reverse("map", args=[map.pk]),
    }


def placed_json(row: MapLayer) -> dict[str, Any]:
    """Return one layer of a map with what it shows."""
    shown: dict[str, Any] = {
        "id": row.pk,
        "title": row.title,
        "visible": row.visible,
        "opacity": row.opacity,
        "style": row.style,
        "group": row.group,
    }
    if row.imagery is not None:
        kind = _kind(row.imagery)
        return {**shown, "kind": kind, "imagery": imagery_json(row.imagery), "picture": picture(row.imagery, row.style)}
    if row.features is None:  # the database's constraint forbids it
        raise NotFound("layer")
    return {**shown, "kind": "features", "features": features_json(row.features)}


def _with_origin(row: MapLayer, role: Role | None) -> dict[str, Any]:
    """Return the layer as JSON with what made it, `{title, url}`; only members are told."""
    job = row.source.job
    origin = None
    if role is not None and job is not None:
        inference = job.spec.get("inference")
        url = reverse("inference", args=[inference]) if inference else job.get_absolute_url()
        origin = {"title": str(job), "url": url}
    return {**placed_json(row), "origin": origin}


def candidates(map: Map, query: str) -> list[dict[str, Any]]:
    """Return layers of the project that can be added, newest first, those whose name holds `query`."""
    named = Q(name__icontains=query) if query else Q()
    placed = MapLayer.objects.filter(map=map)
    imagery = (
        ImageryLayer.objects.filter(named, project=map.project_id)
        .exclude(pk__in=placed.filter(imagery__isnull=False).values("imagery"))
        .order_by("-created_at")[:MOST_CANDIDATES]
    )
    features = (
        FeatureLayer.objects.filter(named, project=map.project_id)
        .exclude(pk__in=placed.filter(features__isnull=False).values("features"))
        .order_by("-created_at")[:MOST_CANDIDATES]
    )
    found = [
        *(_candidate(row, _kind(row)) for row in imagery),
        *({**_candidate(row, "features"), "count": row.feature_count} for row in features),
    ]
    found.sort(key=lambda item: str(item["created_at"]), reverse=True)
    return found[:MOST_CANDIDATES]


def legend(row: MapLayer) -> list[dict[str, Any]]:
    """Return the classes of a layer as [{value, name, colour, count, area_m2}]: of features, or of pixels."""
    if row.features is not None:
        return statistics(row.features)
    return [] if row.imagery is None else class_areas(row.imagery)


def imagery_of(map: Map, pk: int) -> ImageryLayer:
    """Return the imagery of a layer of the map.

    Raises:
        NotFound: the map has no such layer, or it shows features.
    """
    row = layer_of(map, pk)
    if row.imagery is None:
        raise NotFound("imagery layer")
    return row.imagery


def feature_of(row: MapLayer, feature_id: UUID) -> str:
    """Return one feature of a layer as GeoJSON text.

    Raises:
        NotFound: it is no feature layer, or has no such feature.
    """
    if row.features is None:
        raise NotFound("feature")
    return feature_json(row.features, feature_id)


def may_open(share: str, author: int | None, role: Role, user: object) -> bool:
    """Return whether a member may open the map: a private one only who made it, and managers."""
    return (
        share != Map.Share.PRIVATE
        or role >= Role.MANAGER
        or (author is not None and getattr(user, "pk", None) == author)
    )


def open_maps(user: User | AnonymousUser) -> Q:
    """Return the condition on maps of a user's projects that leaves out what is private to others."""
    if user.is_superuser or user.pk is None:  # a stranger has no projects
        return Q()
    managed = Member.objects.filter(user_id=user.pk, role__gte=Role.MANAGER).values("project")
    return ~Q(share=Map.Share.PRIVATE) | Q(created_by=user.pk) | Q(project__in=managed)


def maps_of(projects: Any, user: User | AnonymousUser, *, after: str, limit: int) -> list[Map]:
    """Return maps of the projects that the user may open by id, after one id."""
    rows = Map.objects.filter(open_maps(user), project__in=projects).order_by("pk")
    return list((rows.filter(pk__gt=after) if after else rows)[:limit])


def public_maps() -> list[Map]:
    """Return the maps that everybody may see, the latest first."""
    return list(Map.objects.filter(share=Map.Share.PUBLIC).order_by("-updated_at", "pk")[:MOST_PUBLIC])


def state_of(pk: UUID) -> MapState | None:
    """Return what tells viewers what is new: one query each for the map and its layers; None where it is gone."""
    found = Map.objects.filter(pk=pk).values_list("version", "share", "created_by").first()
    if found is None:
        return None
    rows = MapLayer.objects.filter(map=pk).values_list(
        "pk",
        "imagery_id",
        "imagery__version",
        "imagery__state",
        "features_id",
        "features__seq",
        "features__state",
        "features__schema_version",
    )
    layers = tuple(
        LayerState(row[0], "imagery", row[1], row[2], row[3], 0)
        if row[1] is not None
        else LayerState(row[0], "features", row[4], row[5], row[6], row[7])
        for row in rows
    )
    return MapState(*found, layers)


def project_of(pk: UUID) -> Project | None:
    """Return the map's project, None where the map is gone."""
    return Project.objects.filter(maps=pk).first()


@lru_cache(maxsize=512)
def changed_bounds(layer: UUID, after: int, upto: int) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north in degrees of all that edits touched, before and after; None: anywhere.

    The log is append-only, so an answer stays right for ever and all viewers of a process share it.
    """
    if upto - after > MOST_EDITS_LOOKED_AT or after < 0:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box) FROM (
                SELECT ST_Extent(e.geometry) AS box FROM features_edit e WHERE e.layer_id = %s AND e.feature_id IN (
                    SELECT c.feature_id FROM features_edit c
                    WHERE c.layer_id = %s AND c.seq > %s AND c.seq <= %s)) b""",
            [layer, layer, after, upto],
        )
        box: tuple[float | None, ...] = cursor.fetchone()
    west, south, east, north = box
    if west is None or south is None or east is None or north is None:
        return None
    return west, south, east, north


def _kind(row: ImageryLayer) -> str:
    """Return what a map calls imagery: a mosaic is shown, styled and asked like a scene."""
    return "class_raster" if row.kind == ImageryLayer.Kind.CLASS_RASTER else "imagery"


def _candidate(row: ImageryLayer | FeatureLayer, kind: str) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "kind": kind,
        "name": row.name,
        "state": row.state,
        "created_at": row.created_at.isoformat(),
    }
