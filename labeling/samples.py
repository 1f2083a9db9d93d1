"""What the samples manager tells: counts, areas and pixels by class, advice, and what is wrong with samples."""

from dataclasses import dataclass
from typing import Any

from django.contrib.gis.geos import MultiPolygon
from django.db import connection, transaction
from django.db.utils import OperationalError

from labeling import duplicates, offsets
from labeling.models import LabelSet
from webapp.errors import Conflict, Invalid
from webapp.features import selectors as features

# Fewer samples of a class than this teach a network little; from the second number on there is enough to try.
FEW, ENOUGH = 20, 50
MOST_NAMED = 8
# One class with so many times the pixels of another drowns it.
UNBALANCED = 20
# The imagery is cut into so many cells to a side, to see where samples lie.
CELLS = 8
SPREAD = 0.25
# An area of fewer pixels is a slip of the hand.
TINY_PX = 4
# Two areas that share so much are one object twice.
SAME_IOU = 0.9
MOST_SHOWN = 100
# Values of a field by which a class can be split, and of all fields together.
MOST_VALUES, MOST_ROWS = 60, 2_000
# Comparing all with all may be too much; then the page says so.
SEARCH_MS = 8_000
# With more samples than this, duplicates are looked for by their middles.
MANY = 20_000
# A footprint is traced at this many pixels along its longer side: its edge is known to one of those.
FOOTPRINT_PX = 768
DEGREE_M = 111_320


@dataclass(frozen=True)
class Kind:
    """One kind of problem: its SQL and what mends it.

    Attributes:
        sql: yields feature ids, and of a pair the other one, in an order that is worth showing.
        fixes: what `labeling.sample_fixes` can do about it.
    """

    sql: str
    fixes: tuple[str, ...]
    paired: bool = False


_LIVING = "f.layer_id = %(layer)s AND NOT f.deleted"
_ALIKE = """CASE
    WHEN ST_Dimension(f.geometry) < 2 THEN ST_Equals(f.geometry, o.geometry)
    WHEN f.area_m2 < %(iou)s * o.area_m2 OR o.area_m2 < %(iou)s * f.area_m2 THEN false
    WHEN NOT (ST_IsValid(f.geometry) AND ST_IsValid(o.geometry)) THEN false
    ELSE ST_Area(ST_Intersection(f.geometry, o.geometry)) >=
        %(iou)s * ST_Area(ST_Union(f.geometry, o.geometry)) END"""
# Of many samples only those whose middles are near each other are compared.
_NEAR_DUPLICATES = f"""SELECT f.id, o.id FROM unnest(%(later)s::bigint[], %(earlier)s::bigint[]) pair (later, earlier)
    JOIN features_feature f ON f.layer_id = %(layer)s AND f.fid = pair.later AND NOT f.deleted
    JOIN features_feature o ON o.layer_id = %(layer)s AND o.fid = pair.earlier AND NOT o.deleted
        AND ST_Dimension(o.geometry) = ST_Dimension(f.geometry)
    WHERE {_ALIKE} ORDER BY f.fid, o.fid"""
KINDS: dict[str, Kind] = {
    "invalid": Kind(
        f"""SELECT f.id, NULL::uuid FROM features_feature f WHERE {_LIVING} AND NOT ST_IsValid(f.geometry)
        ORDER BY f.fid""",
        ("repair", "delete"),
    ),
    "tiny": Kind(
        f"""SELECT f.id, NULL::uuid FROM features_feature f WHERE {_LIVING} AND ST_Dimension(f.geometry) = 2
        AND f.area_m2 < %(tiny_m2)s ORDER BY f.area_m2, f.fid""",
        ("delete",),
    ),
    "duplicate": Kind(
        f"""SELECT f.id, o.id FROM features_feature f JOIN features_feature o
            ON o.layer_id = f.layer_id AND NOT o.deleted AND o.fid < f.fid AND o.geometry && f.geometry
            AND ST_Dimension(o.geometry) = ST_Dimension(f.geometry)
        WHERE {_LIVING} AND {_ALIKE} ORDER BY f.fid, o.fid""",
        ("delete",),
        paired=True,
    ),
    "outside": Kind(
        f"""SELECT f.id, NULL::uuid FROM features_feature f, place p WHERE {_LIVING}
        AND NOT ST_Intersects(f.geometry, p.frame) ORDER BY f.fid""",
        ("delete",),
    ),
    "crossing": Kind(
        f"""SELECT f.id, NULL::uuid FROM features_feature f, place p WHERE {_LIVING}
        AND ST_Intersects(f.geometry, p.frame) AND NOT ST_CoveredBy(f.geometry, p.around) ORDER BY f.fid""",
        ("cut", "delete"),
    ),
    "unclassified": Kind(
        f"SELECT f.id, NULL::uuid FROM features_feature f WHERE {_LIVING} AND f.class_value IS NULL ORDER BY f.fid",
        ("class", "delete"),
    ),
    "retired": Kind(
        f"""SELECT f.id, NULL::uuid FROM features_feature f JOIN features_featureclass c
            ON c.layer_id = f.layer_id AND c.value = f.class_value AND c.retired
        WHERE {_LIVING} ORDER BY f.fid""",
        ("class", "delete"),
    ),
}
_PLACE = """WITH place AS (SELECT footprint AS frame, ST_Buffer(footprint, %(edge)s) AS around
    FROM (SELECT ST_GeomFromEWKB(%(footprint)s) AS footprint) shown) """


def overview(found: LabelSet) -> dict[str, Any]:
    """Return the table of classes (samples, square metres, pixels and their share of all labelled) and advice."""
    pixel_m2 = found.imagery.gsd_m**2
    rows = features.statistics(found.layer)
    total = sum(row["area_m2"] for row in rows)
    for row in rows:
        row["pixels"] = round(row["area_m2"] / pixel_m2) if pixel_m2 else 0
        row["share"] = row["area_m2"] / total if total else 0.0
    covered, cells = _spread(found)
    return {
        "classes": rows,
        "count": sum(row["count"] for row in rows),
        "area_m2": total,
        "seq": found.layer.seq,
        "gsd_m": found.imagery.gsd_m,
        "cells": {"with_samples": covered, "all": cells},
        "advice": advice(rows, covered=covered, cells=cells),
    }


def advice(rows: list[dict[str, Any]], *, covered: int, cells: int) -> list[dict[str, str]]:
    """Return what to do next, most important first: [{code, tone, text}].

    Args:
        rows: of `overview`.
        covered: cells of the imagery that hold a sample.
        cells: of the imagery.
    """
    living = [row for row in rows if row["value"] is not None and not row.get("retired")]
    used = [row for row in living if row["count"]]
    count = sum(row["count"] for row in rows)
    if not count:
        return [
            {"code": "empty", "tone": "neutral", "text": "Nothing is labelled yet. Draw a few samples of each class."}
        ]
    told: list[dict[str, str]] = []
    few = [f"{row['name']} ({row['count']})" for row in living if row["count"] < FEW]
    if few:
        more = f" and {len(few) - MOST_NAMED} more classes" if len(few) > MOST_NAMED else ""
        text = f"Few samples: {', '.join(few[:MOST_NAMED])}{more}."
        told.append(_warn("few", f"{text} {ENOUGH} or more of each, drawn in different places, help."))
    by_area = sorted((row for row in used if row["area_m2"] > 0), key=lambda row: row["area_m2"])
    if len(by_area) > 1 and by_area[-1]["area_m2"] > UNBALANCED * by_area[0]["area_m2"]:
        times = by_area[-1]["area_m2"] / by_area[0]["area_m2"]
        text = f"{by_area[-1]['name']} covers {times:,.0f} times the area of {by_area[0]['name']}."
        told.append(_warn("unbalanced", f"{text} Label more of the small one, or weight classes in training."))
    if cells and covered < SPREAD * cells:
        text = f"Samples lie in {covered} of {cells} parts of the imagery."
        told.append(_warn("spread", f"{text} A model learns best from samples all over it."))
    unclassified = next((row["count"] for row in rows if row["value"] is None), 0)
    if unclassified:
        told.append(_warn("unclassified", f"{unclassified:,} samples have no class. Training leaves them out."))
    if used and all(row["count"] >= ENOUGH for row in used):
        text = "Every class in use has 50 samples or more: enough to try a first training."
        told.append({"code": "enough", "tone": "ok", "text": text})
    return told


def problems(found: LabelSet) -> list[dict[str, Any]]:
    """Return for each kind of problem how many samples have it, and the first hundred as features with their box.

    A kind whose search took too long says so: its count is null.
    """
    return [{"kind": kind, "fixes": list(spec.fixes), **_search(found, spec)} for kind, spec in KINDS.items()]


def values(found: LabelSet) -> dict[str, Any]:
    """Return what the SQL of the kinds and of the fixes is asked with."""
    longest = max(found.imagery.height, found.imagery.width)
    edge_m = found.imagery.gsd_m * max(1.0, longest / FOOTPRINT_PX)
    return {
        "layer": found.layer_id,
        "footprint": bytes(footprint_of(found).ewkb),
        "tiny_m2": TINY_PX * found.imagery.gsd_m**2,
        "iou": SAME_IOU,
        "edge": edge_m / DEGREE_M,
        "most": MOST_SHOWN,
    }


def fields_of(found: LabelSet, class_value: int) -> list[dict[str, Any]]:
    """Return the fields of a class's samples whose values are few: [{name, values: [[text, count]]}]."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT p.key, p.value, count(*) FROM features_feature f, jsonb_each_text(f.properties) p
            WHERE {_LIVING} AND f.class_value = %(value)s AND p.value IS NOT NULL AND length(p.value) <= 200
            GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2 LIMIT %(most)s""",
            {"layer": found.layer_id, "value": class_value, "most": MOST_ROWS},
        )
        rows = cursor.fetchall()
    by_name: dict[str, list[list[Any]]] = {}
    for name, text, count in rows:
        by_name.setdefault(name, []).append([text, count])
    return [{"name": name, "values": texts} for name, texts in by_name.items() if len(texts) <= MOST_VALUES]


def footprint_of(found: LabelSet) -> MultiPolygon:
    """Return where the imagery has data as it is shown, in EPSG:4326.

    Raises:
        Conflict: it is still being written.
    """
    footprint = offsets.shown(found).footprint
    if footprint is None:
        raise Conflict("The imagery is still being written.", fix="Wait for its job.", code="not_ready")
    return footprint


def kind_of(name: object) -> Kind:
    """Return a kind of problem.

    Raises:
        Invalid: there is none of that name.
    """
    kind = KINDS.get(str(name))
    if kind is None:
        raise Invalid(f"{str(name)[:40]!r} is no kind of problem.", fix=f"Use {', '.join(KINDS)}.", code="kind")
    return kind


def _warn(code: str, text: str) -> dict[str, str]:
    return {"code": code, "tone": "warn", "text": text}


def _spread(found: LabelSet) -> tuple[int, int]:
    """Return how many cells of the imagery hold the middle of a sample, and how many there are on its footprint."""
    footprint = footprint_of(found)
    west, south, east, north = footprint.extent
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH cells AS (SELECT x, y, ST_MakeEnvelope(
                    %(west)s + x * %(w)s, %(south)s + y * %(h)s,
                    %(west)s + (x + 1) * %(w)s, %(south)s + (y + 1) * %(h)s, 4326) AS box
                FROM generate_series(0, {CELLS - 1}) x, generate_series(0, {CELLS - 1}) y)
            SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM features_feature f WHERE {_LIVING}
                    AND f.geometry && c.box)), count(*)
            FROM cells c WHERE ST_Intersects(ST_GeomFromEWKB(%(footprint)s), c.box)""",
            {
                "west": west, "south": south, "w": (east - west) / CELLS, "h": (north - south) / CELLS,
                "layer": found.layer_id, "footprint": bytes(footprint.ewkb),
            },
        )  # fmt: skip
        covered, cells = cursor.fetchone()
    return covered, cells


_SHOWN = """SELECT f.id, f.fid, f.version, f.class_value, f.area_m2, f.verified, ST_AsGeoJSON(f.geometry, 9)::json,
    ST_XMin(f.geometry), ST_YMin(f.geometry), ST_XMax(f.geometry), ST_YMax(f.geometry)
    FROM features_feature f WHERE f.id = ANY(%(ids)s::uuid[])"""


def _search(found: LabelSet, kind: Kind) -> dict[str, Any]:
    asked, sql = values(found), kind.sql
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", [SEARCH_MS])
            if kind.paired and found.layer.feature_count > MANY:
                pairs = duplicates.candidates(found.layer_id, SAME_IOU)
                if pairs is None:
                    return {"count": None, "samples": []}
                asked, sql = asked | {"later": pairs[0], "earlier": pairs[1]}, _NEAR_DUPLICATES
            cursor.execute(f"{_PLACE} SELECT count(*) OVER (), x.* FROM ({sql}) x LIMIT %(most)s", asked)
            rows = cursor.fetchall()
            cursor.execute("SET LOCAL statement_timeout = 0")
            wanted = {str(item) for row in rows for item in row[1:3] if item is not None}
            cursor.execute(_SHOWN, {"ids": list(wanted)})
            shown = {row[0]: row for row in cursor.fetchall()}
    except OperationalError:  # the statement took too long
        return {"count": None, "samples": []}
    samples = [{**_sample(shown[row[1]]), "other": _sample(shown[row[2]]) if row[2] else None} for row in rows]
    return {"count": rows[0][0] if rows else 0, "samples": samples}


def _sample(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "id": str(row[0]),
        "fid": row[1],
        "version": row[2],
        "class_value": row[3],
        "area_m2": row[4],
        "verified": row[5],
        "geometry": row[6],
        "bounds": [row[7], row[8], row[9], row[10]],
    }
