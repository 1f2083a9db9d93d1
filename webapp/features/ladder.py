"""The zoom ladder of large layers: how many features lie in each cell of a tile, kept by whoever writes the layer.

A tile of a low zoom over a million features would read them all. Cells are 4 pixels to a side, counted class by class
at every zoom from 0 to 14, and change in the transaction of the edit: a tile made of them is never behind. What is as
large as a cell at some zoom is drawn as itself there and not counted. Small layers have no ladder and pay nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from webapp.features.models import FeatureLayer
from webapp.features.tile_numbers import WORLD_M

# A layer gets its ladder when it has more features than one tile may hold.
LADDER_FROM = 5_000
DEEPEST = 14
# A tile has 64 x 64 cells: 4,096 of them, no more than one tile may hold of features.
CELL_BITS = 6
_GRID = DEEPEST + CELL_BITS

# Centroids on the deepest grid; `top` is the deepest zoom at which the feature is smaller than a cell. Lines count
# where their middle is. OFFSET 0 keeps the planner from writing the centroid into every expression that names it.
_BASE = f"""SELECT coalesce(class_value, -1) AS class_value, top, gx, gy, count(*) AS n,
        coalesce(sum(score), 0) AS score_sum, count(score) AS scored
    FROM (SELECT class_value, score,
            least(greatest(floor((ST_X(c) / {WORLD_M} + 0.5) * {2**_GRID}), 0), {2**_GRID - 1})::int AS gx,
            least(greatest(floor((0.5 - ST_Y(c) / {WORLD_M}) * {2**_GRID}), 0), {2**_GRID - 1})::int AS gy,
            CASE WHEN area = 0 THEN {DEEPEST}
                ELSE least({DEEPEST}, ceil(ln({WORLD_M} / sqrt(area)) / ln(2.0::float8) - {CELL_BITS}) - 1)
            END::int AS top
        FROM (SELECT class_value, score, ST_Centroid(geometry_3857) AS c, ST_Area(geometry_3857) AS area
            FROM features_feature WHERE layer_id = %(layer)s AND NOT deleted AND ({{where}})
                AND NOT ST_IsEmpty(geometry_3857) OFFSET 0) f OFFSET 0) placed
    WHERE top >= 0 GROUP BY 1, 2, 3, 4"""

_CELLS = f"""SELECT %(layer)s::uuid AS layer_id, z, gx >> ({_GRID} - z) AS x, gy >> ({_GRID} - z) AS y,
        ((gy >> ({DEEPEST} - z)) & 63) * 64 + ((gx >> ({DEEPEST} - z)) & 63) AS cell, class_value,
        sum(n) AS count, sum(score_sum) AS score_sum, sum(scored) AS scored
    FROM ({_BASE}) base, generate_series(0, base.top) z GROUP BY 2, 3, 4, 5, 6"""

_INSERT = """INSERT INTO features_cell AS c (layer_id, z, x, y, cell, class_value, count, score_sum, scored) {cells}
    ON CONFLICT (layer_id, z, x, y, cell, class_value) DO UPDATE SET count = c.count + excluded.count,
        score_sum = c.score_sum + excluded.score_sum, scored = c.scored + excluded.scored"""
_ENTER = _INSERT.format(cells=_CELLS)

# Before the lock, under which others wait.
_GATHER = f"""DROP TABLE IF EXISTS pg_temp.gathered_cells;
    CREATE TEMPORARY TABLE gathered_cells ON COMMIT DROP AS {_CELLS}"""
_ENTER_GATHERED = _INSERT.format(cells="SELECT * FROM gathered_cells")

# Cells of no feature stay: a block that is written anew fills most of them again.
_LEAVE = f"""UPDATE features_cell c SET count = c.count - d.count, score_sum = c.score_sum - d.score_sum,
        scored = c.scored - d.scored
    FROM ({_CELLS}) d WHERE (c.layer_id, c.z, c.x, c.y, c.cell, c.class_value)
        = (d.layer_id, d.z, d.x, d.y, d.cell, d.class_value)"""


def leave(layer: FeatureLayer, where: str, values: Mapping[str, Any] | None = None) -> None:
    """Take features out of the ladder, as they are now, before they are changed or deleted.

    Args:
        layer: locked by the caller.
        where: SQL condition on `features_feature` that chooses them.
        values: of its placeholders.
    """
    if layer.ladder:
        _run(_LEAVE, layer, where, values or {})


def enter(layer: FeatureLayer, where: str, values: Mapping[str, Any] | None = None, *, count: int) -> None:
    """Put features into the ladder, as they are now; a layer that has become large gets one of all its features.

    Args:
        layer: locked by the caller.
        where: SQL condition on `features_feature` that chooses those that are new or have changed.
        values: of its placeholders.
        count: living features of the layer, these among them.
    """
    if layer.ladder:
        _run(_ENTER, layer, where, values or {})
    elif count > LADDER_FROM:
        _begin(layer)
        _run(_ENTER, layer, "true", {})


def gather(layer: FeatureLayer, where: str) -> None:
    """Count features that the caller has written and nobody else sees, for `enter_gathered` in the same transaction.

    Args:
        layer: need not be locked.
        where: SQL condition on `features_feature` that chooses them.
    """
    _compile_nothing()
    _run(_GATHER, layer, where, {})


def enter_gathered(layer: FeatureLayer, where: str, *, count: int) -> None:
    """Put the features into the ladder that `gather` counted, as `enter` does; the counts are dropped.

    Args:
        layer: locked by the caller.
        where: what `gather` was told.
        count: living features of the layer, these among them.
    """
    if not layer.ladder and count > LADDER_FROM:
        _begin(layer)
        _run(_ENTER, layer, f"NOT ({where})", {})
    with connection.cursor() as cursor:
        if layer.ladder:
            cursor.execute(_ENTER_GATHERED)
        cursor.execute("DROP TABLE gathered_cells")


def among(ids: Sequence[UUID]) -> tuple[str, dict[str, Any]]:
    """Return the condition and its values that choose features by id."""
    return "id = ANY(%(ids)s::uuid[])", {"ids": [str(pk) for pk in ids]}


def _begin(layer: FeatureLayer) -> None:
    layer.ladder = True
    FeatureLayer.objects.filter(pk=layer.pk).update(ladder=True)
    _compile_nothing()


def _compile_nothing() -> None:
    with connection.cursor() as cursor:
        # Compiling takes a second, whatever there is to count.
        cursor.execute("SET LOCAL jit = off")


def _run(sql: str, layer: FeatureLayer, where: str, values: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(where=where), {**values, "layer": layer.pk})
