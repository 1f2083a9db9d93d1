"""What a model sees and nobody has drawn: places to look at, worst first, each until somebody has decided on it.

A model sees the pixels of a file, where the file says they lie. Where a label set shows its imagery moved, detections
made on this imagery are moved with it before anything is compared, shown or kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.gis.geos import GEOSGeometry
from django.db import OperationalError, connection, transaction

from labeling import offsets
from labeling.models import LabelSet
from webapp.errors import Conflict, NotFound
from webapp.features.geometry import SRID
from webapp.features.models import Feature, FeatureLayer
from webapp.features.selectors import FEATURE_JSON
from webapp.raster.shift import Shift

MAX_PAGE = 50
# Counting on is of no use to anybody: "10,000 or more".
MAX_COUNT = 10_000
# A page may hold a thread of the web for so long, and counting for so long.
SEARCH_MS = 10_000


@dataclass(frozen=True)
class Wanted:
    """What counts as an omission.

    Attributes:
        layer: of detections.
        score: the least that a model must be sure, 0 to 1.
        cover: less than this share of the detection lies under samples, 0 to 1.
        class_value: of the detections; None: all.
        after: score and fid of the last one seen.
        only_checked: samples that nobody has checked cover nothing.
    """

    layer: FeatureLayer
    score: float = 0.5
    cover: float = 0.3
    class_value: int | None = None
    after: tuple[float, int] | None = None
    only_checked: bool = False


@dataclass(frozen=True)
class Page:
    """The next omissions as JSON texts.

    Attributes:
        count: how many there are in all, at most 10,000; None on pages after the first, and where counting took long.
        after: where the next page begins; None where this was the last.
    """

    features: list[str]
    count: int | None
    after: str | None


_MOVED = """(SELECT id, fid, layer_id, deleted, properties, version, class_value, score, source, verified, area_m2,
        updated_at, updated_by_id, geometry AS stored,
        ST_Transform(ST_Translate(ST_Transform(geometry, 3857), %(x)s, %(y)s), 4326) AS geometry
    FROM features_feature WHERE layer_id = %(detections)s)"""
# A place where somebody said that there is no object is no omission of any model. It is kept as the detection is
# stored: what was seen on the set's own imagery stays with its pixels, wherever these are shown later.
_DECIDED = """NOT EXISTS (SELECT FROM labeling_noobject n WHERE n.label_set_id = %(label_set)s AND n.feature_id = f.id)
    AND NOT EXISTS (SELECT FROM labeling_noobject n WHERE n.label_set_id = %(label_set)s
        AND n.on_imagery = %(on_imagery)s AND {here})
    AND NOT EXISTS (SELECT FROM labeling_noobject n WHERE n.label_set_id = %(label_set)s
        AND n.on_imagery <> %(on_imagery)s AND {there})"""
_SAME = """n.geometry && {0} AND ST_Dimension({0}) = 2
    AND ST_Area(ST_Intersection(n.geometry, {0})) >= 0.5 * ST_Area(ST_Union(n.geometry, {0}))"""
_ON_THE_FILE = "ST_Transform(ST_Translate(ST_Transform(f.geometry, 3857), %(back_x)s, %(back_y)s), 4326)"
_OMITTED = """f.layer_id = %(detections)s AND NOT f.deleted AND coalesce(f.score, 1) >= %(score)s
    AND (%(class)s::int IS NULL OR f.class_value = %(class)s)
    AND NOT EXISTS (SELECT FROM labeling_task t WHERE t.label_set_id = %(label_set)s AND t.on_sheets
        AND t.geometry && f.geometry AND ST_Intersects(t.geometry, f.geometry))
    AND CASE WHEN ST_Dimension(f.geometry) = 2 THEN
        coalesce((SELECT sum(ST_Area(ST_Intersection(s.geometry, f.geometry))) FROM features_feature s
            WHERE s.layer_id = %(samples)s AND NOT s.deleted AND s.verified >= %(checked)s
                AND s.geometry && f.geometry), 0)
            < %(cover)s * ST_Area(f.geometry)
        ELSE NOT EXISTS (SELECT FROM features_feature s WHERE s.layer_id = %(samples)s AND NOT s.deleted
            AND s.verified >= %(checked)s AND s.geometry && ST_Expand(f.geometry, 1e-4)
            AND ST_DWithin(s.geometry::geography, f.geometry::geography, 2))
        END"""


def layers(
    label_set: LabelSet, kinds: Sequence[FeatureLayer.Kind] = (FeatureLayer.Kind.DETECTIONS,)
) -> list[dict[str, Any]]:
    """Return the layers that models made in the project and that lie where the imagery does, the newest first."""
    rows = FeatureLayer.objects.filter(project=label_set.project_id, kind__in=kinds, state=FeatureLayer.State.READY)
    footprint = label_set.imagery.footprint
    if footprint is not None:
        west, south, east, north = footprint.extent
        rows = rows.filter(west__lte=east, east__gte=west, south__lte=north, north__gte=south)
    found = rows.exclude(feature_count=0).prefetch_related("classes").order_by("-created_at")
    return [
        {
            "id": str(row.pk),
            "name": row.name,
            "count": row.feature_count,
            "classes": [{"value": one.value, "name": one.name, "colour": one.colour} for one in row.classes.all()],
        }
        for row in found
    ]


def detections(label_set: LabelSet, pk: UUID) -> FeatureLayer:
    """Return a detection layer of the label set's project.

    Raises:
        NotFound: there is none.
    """
    found = FeatureLayer.objects.filter(pk=pk, project=label_set.project_id, kind=FeatureLayer.Kind.DETECTIONS).first()
    if found is None:
        raise NotFound()
    return found


def page(label_set: LabelSet, wanted: Wanted, *, limit: int = MAX_PAGE) -> Page:
    """Return the next omissions, the surest first.

    Raises:
        Conflict: it took too long (code `search_slow`).
    """
    values = _values(label_set, wanted) | {
        "after_score": wanted.after[0] if wanted.after else None,
        "after_fid": wanted.after[1] if wanted.after else None,
        "limit": limit + 1,
    }
    try:
        rows = timed(
            f"""SELECT {FEATURE_JSON}, coalesce(f.score, 1), f.fid FROM {_detections(values)} f
            LEFT JOIN projects_user u ON u.id = f.updated_by_id
            WHERE {_omitted(values)} AND (%(after_fid)s::bigint IS NULL
                OR (-coalesce(f.score, 1), f.fid) > (-%(after_score)s::float, %(after_fid)s::bigint))
            ORDER BY -coalesce(f.score, 1), f.fid LIMIT %(limit)s""",
            values,
        )
    except OperationalError:  # the statement took too long
        raise Conflict(
            "Looking for omissions took too long.", fix="Ask for surer detections, or one class.", code="search_slow"
        ) from None
    # The rest of the count is known to whoever has seen the first page.
    count = None if wanted.after else _count(values)
    last = rows[limit - 1] if len(rows) > limit else None
    return Page([row[0] for row in rows[:limit]], count, f"{last[1]},{last[2]}" if last else None)


def matching_classes(label_set: LabelSet, layer: FeatureLayer) -> dict[int, int]:
    """Return which class of the label set a class of the detections is, by name."""
    own = {row.name.casefold(): row.value for row in label_set.layer.classes.all() if not row.retired}
    return {row.value: own[row.name.casefold()] for row in layer.classes.all() if row.name.casefold() in own}


def omitted(label_set: LabelSet, wanted: Wanted, feature_id: UUID) -> Feature:
    """Return one detection that is an omission now, where the label set shows it: never to be saved.

    Raises:
        Conflict: it is none (code `not_omitted`).
    """
    values = _values(label_set, wanted) | {"id": feature_id}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT f.id, f.geometry::bytea FROM {_detections(values)} f WHERE f.id = %(id)s AND {_omitted(values)}",
            values,
        )
        row = cursor.fetchone()
    if row is None:
        raise Conflict("Somebody has decided on this meanwhile.", fix="Go on with the next.", code="not_omitted")
    found = Feature.objects.get(pk=row[0])
    found.geometry = GEOSGeometry(memoryview(row[1]), srid=SRID)
    return found


def every(label_set: LabelSet, wanted: Wanted) -> list[UUID]:
    """Return all omissions, however many, in the order in which the model stored them; for a job."""
    values = _values(label_set, wanted)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT f.id FROM {_detections(values)} f WHERE {_omitted(values)} ORDER BY f.fid", values)
        return [pk for (pk,) in cursor.fetchall()]


def _count(values: dict[str, Any]) -> int | None:
    found = f"SELECT FROM {_detections(values)} f WHERE {_omitted(values)} LIMIT {MAX_COUNT}"
    try:
        rows = timed(f"SELECT count(*) FROM ({found}) o", values)
    except OperationalError:  # the statement took too long
        return None
    return int(rows[0][0])


def timed(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a search that may take ten seconds.

    Raises:
        OperationalError: it took longer.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = %s", [SEARCH_MS])
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.execute("SET LOCAL statement_timeout = 0")
    return rows


def on_imagery(label_set: LabelSet, layer: FeatureLayer) -> bool:
    """Return True where detections were made on the set's own imagery: stored where its file says, shown with it."""
    return FeatureLayer.objects.filter(pk=layer.pk, written_by__imagery=label_set.imagery_id).exists()


def _omitted(values: dict[str, Any]) -> str:
    """Return what makes a detection an omission; `f.stored` is there where detections move."""
    moved = bool(values["x"] or values["y"])
    # Where a decision was made on the other kind of layer, the detection is looked at in that one's frame.
    elsewhere = _ON_THE_FILE if not moved and (values["back_x"] or values["back_y"]) else "f.geometry"
    decided = _DECIDED.format(here=_SAME.format("f.stored" if moved else "f.geometry"), there=_SAME.format(elsewhere))
    return f"{_OMITTED} AND {decided}"


def _detections(values: dict[str, Any]) -> str:
    return _MOVED if values["x"] or values["y"] else "features_feature"


def _values(label_set: LabelSet, wanted: Wanted) -> dict[str, Any]:
    own, offset = on_imagery(label_set, wanted.layer), offsets.shift(label_set)
    moved = offset if own else Shift()
    return {
        "on_imagery": own,
        "back_x": -offset.x,
        "back_y": -offset.y,
        "x": moved.x,
        "y": moved.y,
        "detections": wanted.layer.pk,
        "samples": label_set.layer_id,
        "label_set": label_set.pk,
        "score": wanted.score,
        "cover": wanted.cover,
        "class": wanted.class_value,
        "checked": wanted.only_checked,
    }
