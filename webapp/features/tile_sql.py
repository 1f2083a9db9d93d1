"""The statements behind vector tiles."""

from collections.abc import Sequence

from webapp.features.ladder import CELL_BITS
from webapp.features.tile_numbers import EXTENT, WORLD_M, Span

# How large a cell is in units of the tile.
_CELL = EXTENT >> CELL_BITS

# The number of the last edit, of the last one that may have changed the tile, whether the layer keeps cells, and
# whether it has ever been here.
STATE = """
SELECT l.seq, coalesce({noted}, 0), l.ladder,
    coalesce(l.west <= %(east)s AND l.east >= %(west)s AND l.south <= %(north)s AND l.north >= %(south)s, true)
FROM features_featurelayer l WHERE l.id = %(layer)s"""


# Where the fields that a style asks for stand in a statement: each feature's own row is read once more for them.
NO_FIELDS = "/* no fields */"
# Names of fields stand behind this, so that none is taken for what every feature has.
FIELD = "field:"


def with_fields(sql: str, fields: Sequence[str]) -> str:
    """Return the statement with fields beside what every feature has; `field_values` are its values for them."""
    values = (
        "to_jsonb(f.area_m2)" if field == "area_m2" else f"f.properties -> %(field_{at})s"
        for at, field in enumerate(fields)
    )
    pairs = (f"'{FIELD}' || %(field_{at})s, {value}" for at, value in enumerate(values))
    row = "FROM features_feature f WHERE f.layer_id = %(layer)s AND f.fid = shaped.fid"
    return sql.replace(NO_FIELDS, f", (SELECT jsonb_build_object({', '.join(pairs)}) {row}) AS fields")


def field_values(fields: Sequence[str]) -> dict[str, str]:
    """Return the values that a statement with fields names."""
    return {f"field_{at}": field for at, field in enumerate(fields)}


COUNTED = """
SELECT coalesce(sum(count), 0) FROM features_cell
WHERE layer_id = %(layer)s AND z = %(z)s AND x = %(x)s AND y = %(y)s"""


def noted_sql(inside: Span, around: list[Span]) -> str:
    """Return the subquery of the last edit that is noted for a tile; numbers only, as they are ours."""
    deepest = f"SELECT max(greatest(inside, whole)) FROM features_tilechange WHERE layer_id = l.id AND {_in(inside)}"
    if not around:
        return f"({deepest})"
    higher = " OR ".join(f"({_in(item)})" for item in around)
    wide = f"SELECT max(whole) FROM features_tilechange WHERE layer_id = l.id AND ({higher})"
    return f"greatest(({deepest}), ({wide}))"


def _in(span: Span) -> str:
    return f"z = {span.z} AND x BETWEEN {span.left} AND {span.right} AND y BETWEEN {span.top} AND {span.bottom}"


# The envelope is transformed, never the column: the index is on lon/lat. Where more lie in the tile than fit, the
# largest are kept. A polygon smaller than a pixel becomes that pixel, so that it does not vanish unsaid.
FEATURES = """
WITH picked AS MATERIALIZED (
    SELECT fid, id, class_value, score, verified, area_m2, geometry_3857 AS g FROM features_feature
    WHERE layer_id = %(layer)s AND NOT deleted
        AND geometry && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
    ORDER BY area_m2 DESC, fid LIMIT %(limit)s + 1),
shaped AS MATERIALIZED (  -- else the clipping is done twice, for the condition and for the tile
    SELECT fid AS mvt_id, fid, id::text AS id, class_value, score, verified, area_m2,
        CASE WHEN (SELECT count(*) FROM picked) > %(limit)s THEN true END AS truncated,
        ST_AsMVTGeom(
            CASE WHEN ST_Dimension(g) = 2 AND area_m2 < %(pixel_area)s THEN ST_Expand(ST_Centroid(g), %(pixel)s / 2)
                WHEN ST_NPoints(g) > 12 THEN ST_Simplify(g, %(pixel)s / 4, true) ELSE g END,
            ST_TileEnvelope(%(z)s, %(x)s, %(y)s), %(extent)s, %(buffer)s, true) AS geom
    FROM (SELECT * FROM picked ORDER BY area_m2 DESC, fid LIMIT %(limit)s) p)
SELECT l.seq, t.shown, (SELECT count(*) FROM picked) > %(limit)s, t.body, 0
FROM features_featurelayer l, LATERAL (
    SELECT count(*) AS shown, ST_AsMVT(q, 'features', %(extent)s, 'geom', 'mvt_id') AS body
    FROM (SELECT mvt_id, fid, id, class_value, score, verified, truncated, geom /* no fields */ FROM shaped
          WHERE geom IS NOT NULL
          ORDER BY area_m2 DESC, fid) q) t
WHERE l.id = %(layer)s"""

# How many features a tile has where no cells are kept; no more than that are looked at to count them.
MOST_COUNTED = 50_000
THERE = f"""
SELECT count(*) FROM (
    SELECT 1 FROM features_feature WHERE layer_id = %(layer)s AND NOT deleted
        AND geometry && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
    LIMIT {MOST_COUNTED} + 1) there"""

_KEPT = """SELECT cell, class_value, count, score_sum, scored FROM features_cell
        WHERE layer_id = %(layer)s AND z = %(z)s AND x = %(x)s AND y = %(y)s AND count > 0"""

# The same, counted now: below the ladder a tile has some thousand features, and few tiles have too many. They are read
# once, for the cells and for what is drawn as itself. The middle of the box, which is stored, says in which cell.
# OFFSET 0 keeps the planner from writing an expression wherever it is named.
_THERE_NOW = """there AS MATERIALIZED (
    SELECT fid, id, class_value, score, verified, area_m2, geometry_3857 AS g, ST_Area(geometry_3857) AS plane
    FROM features_feature WHERE layer_id = %(layer)s AND NOT deleted
        AND geometry && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
        AND NOT ST_IsEmpty(geometry_3857)),
"""
_COUNTED_NOW = f"""SELECT (64 * grid_row + grid_col)::int AS cell, coalesce(class_value, -1) AS class_value,
            count(*) AS count, coalesce(sum(score), 0) AS score_sum, count(score) AS scored
        FROM (SELECT class_value, score,
                floor(((ST_XMin(box) + ST_XMax(box)) / {2 * WORLD_M} + 0.5) * (1 << %(z)s) * 64.0) - %(x)s * 64.0
                    AS grid_col,
                floor((0.5 - (ST_YMin(box) + ST_YMax(box)) / {2 * WORLD_M}) * (1 << %(z)s) * 64.0) - %(y)s * 64.0
                    AS grid_row
            FROM (SELECT class_value, score, Box2D(g)::box3d AS box FROM there
                WHERE plane < %(cell_area)s OFFSET 0) boxes OFFSET 0) placed
        WHERE grid_col BETWEEN 0 AND 63 AND grid_row BETWEEN 0 AND 63 GROUP BY 1, 2"""

# The rank's index leads to the few that are as large as a cell of a low zoom.
_LARGE_KEPT = """SELECT fid, id, class_value, score, verified, area_m2, geometry_3857 AS g FROM features_feature
    WHERE layer_id = %(layer)s AND NOT deleted AND area_m2 >= %(least_area)s
        AND geometry && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
        AND ST_Area(geometry_3857) >= %(cell_area)s"""
_LARGE_NOW = """SELECT fid, id, class_value, score, verified, area_m2, g FROM there WHERE plane >= %(cell_area)s"""

# Cells are squares of the tile itself, so nothing is transformed or clipped. What is as large as a cell is no part of
# them: it is drawn as it is, below them. A square's outer ring runs the other way round than PostGIS makes it, as y
# points down in a tile. `most` is the largest count with its class behind it: no sort is needed to find the class.
_CELLS = f"""
WITH {{there}}cells AS MATERIALIZED (
    SELECT cell, count, score, nullif(65536 - (most & 131071)::int, -1) AS class_value
    FROM (SELECT cell, sum(count) AS count, sum(score_sum) / nullif(sum(scored), 0) AS score,
            max(count::bigint << 17 | (65536 - class_value)) AS most
        FROM ({{counts}}) counts GROUP BY cell) c),
picked AS MATERIALIZED (
    {{large}}
    ORDER BY area_m2 DESC, fid LIMIT greatest(%(limit)s - (SELECT count(*) FROM cells), 0) + 1),
cut AS MATERIALIZED (SELECT (SELECT count(*) FROM picked) + (SELECT count(*) FROM cells) > %(limit)s AS off),
shaped AS MATERIALIZED (
    SELECT fid AS mvt_id, fid, id::text AS id, class_value, score, verified, NULL::bigint AS count, area_m2,
        CASE WHEN (SELECT off FROM cut) THEN true END AS truncated,
        ST_AsMVTGeom(CASE WHEN ST_NPoints(g) > 12 THEN ST_Simplify(g, %(pixel)s / 4, true) ELSE g END,
            ST_TileEnvelope(%(z)s, %(x)s, %(y)s), %(extent)s, %(buffer)s, true) AS geom
    FROM (SELECT * FROM picked ORDER BY area_m2 DESC, fid
          LIMIT greatest(%(limit)s - (SELECT count(*) FROM cells), 0)) p
    UNION ALL
    SELECT NULL, NULL, NULL, class_value, round(score * 10000) / 10000, NULL, count::bigint, -1,
        CASE WHEN (SELECT off FROM cut) THEN true END,
        ST_Reverse(ST_MakeEnvelope(
            (cell & 63) * {_CELL}, (cell >> {CELL_BITS}) * {_CELL},
            ((cell & 63) + 1) * {_CELL}, ((cell >> {CELL_BITS}) + 1) * {_CELL}))
    FROM cells)
SELECT l.seq, t.shown, (SELECT off FROM cut), t.body, (SELECT coalesce(sum(count), 0)::bigint FROM cells)
FROM features_featurelayer l, LATERAL (
    SELECT count(*) AS shown, ST_AsMVT(q, 'features', %(extent)s, 'geom', 'mvt_id') AS body
    FROM (SELECT mvt_id, fid, id, class_value, score, verified, count, truncated, geom /* no fields */ FROM shaped
          WHERE geom IS NOT NULL
          ORDER BY area_m2 DESC, fid) q) t
WHERE l.id = %(layer)s"""

CELLS = _CELLS.format(there="", counts=_KEPT, large=_LARGE_KEPT)
CELLS_NOW = _CELLS.format(there=_THERE_NOW, counts=_COUNTED_NOW, large=_LARGE_NOW)
