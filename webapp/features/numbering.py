"""The numbers of a layer's log: given out under the layer's lock, in the edit's own transaction."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from webapp import doorbell
from webapp.features import tile_numbers
from webapp.features.models import FeatureLayer
from webapp.features.tile_numbers import Box

# One round trip: the numbers, which tiles the change with the last of them touches, and the ring.
_ADVANCE = """WITH moved AS (UPDATE features_featurelayer SET seq = seq + %(edits)s, next_fid = %(next_fid)s,
            feature_count = feature_count + %(count)s, west = least(west, %(west)s), south = least(south, %(south)s),
            east = greatest(east, %(east)s), north = greatest(north, %(north)s), updated_at = clock_timestamp()
        WHERE id = %(layer)s RETURNING id, seq),
    noted AS (INSERT INTO features_tilechange (layer_id, z, x, y, inside, whole)
        SELECT id, z, x, y, seq, CASE WHEN whole THEN seq ELSE 0 END
        FROM moved, unnest(%(z)s::int[], %(x)s::int[], %(y)s::int[], %(whole)s::boolean[]) AS t (z, x, y, whole)
        ON CONFLICT (layer_id, z, x, y) DO UPDATE SET inside = excluded.inside,
            whole = greatest(features_tilechange.whole, excluded.whole))
    SELECT seq, pg_notify(%(channel)s, 'layer:' || id || ' ' || seq) FROM moved"""


def lock(layer: FeatureLayer) -> FeatureLayer:
    """Return the layer, locked until the transaction ends: its numbers are the caller's alone."""
    # NO KEY: rows that point at the layer may still be inserted elsewhere. Written out, as it runs with every edit.
    rows = FeatureLayer.objects.raw("SELECT * FROM features_featurelayer WHERE id = %s FOR NO KEY UPDATE", [layer.pk])
    locked = next(iter(rows), None)
    if locked is None:
        raise FeatureLayer.DoesNotExist
    return locked


def reserve(layer: FeatureLayer, count: int) -> int:
    """Return the first of `count` integer ids of features that nobody else gets; those that are not used stay away.

    Its own transaction locks the layer for a moment: who writes features for seconds calls it before.

    Raises:
        FeatureLayer.DoesNotExist: the layer is gone.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE features_featurelayer SET next_fid = next_fid + %s WHERE id = %s RETURNING next_fid",
            [count, layer.pk],
        )
        row = cursor.fetchone()
    if row is None:
        raise FeatureLayer.DoesNotExist
    return int(row[0]) - count


def advance(
    layer: FeatureLayer,
    edits: int,
    *,
    count_change: int,
    boxes: Sequence[Box],
) -> int:
    """Return the first of `edits` new numbers of the log, taken in the edit's own transaction; ring for the last.

    A database sequence would not do: it shows 12 before 11 is committed, and whoever reads at 12 never sees 11.

    Args:
        layer: locked by the caller; `next_fid` is stored with the numbers.
        edits: how many numbers.
        count_change: how many more living features there are.
        boxes: (west, south, east, north) of what was changed, as it was and as it is; tiles there are made anew, and
            the layer's box grows by them.
    """
    tiles = tile_numbers.notes(boxes)
    zooms, columns, rows = ([place[axis] for place in tiles] for axis in range(3))
    values: dict[str, Any] = {
        "layer": layer.pk,
        "edits": edits,
        "next_fid": layer.next_fid,
        "count": count_change,
        "west": min((box[0] for box in boxes), default=None),
        "south": min((box[1] for box in boxes), default=None),
        "east": max((box[2] for box in boxes), default=None),
        "north": max((box[3] for box in boxes), default=None),
        "z": zooms,
        "x": columns,
        "y": rows,
        "whole": list(tiles.values()),
        "channel": doorbell.CHANNEL,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCE, values)
        layer.seq = cursor.fetchone()[0]
    return layer.seq - edits + 1


def box_around(cursor: CursorWrapper, rows: str) -> Box:
    """Return the box (EPSG:4326) around the column `geometry` of some rows: what `advance` is told of a change.

    Args:
        cursor: of the change's own transaction.
        rows: SQL that can stand after FROM; one geometry at least.
    """
    cursor.execute(
        "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e) FROM (SELECT ST_Extent(geometry) AS e"
        f" FROM {rows}) extent"
    )
    west, south, east, north = cursor.fetchone()
    return west, south, east, north
