"""The numbers of a layer's log: given out under the layer's lock, in the edit's own transaction."""

from collections.abc import Sequence

from django.db import connection

from webapp import doorbell
from webapp.features.models import FeatureLayer


def lock(layer: FeatureLayer) -> FeatureLayer:
    """Return the layer, locked until the transaction ends: its numbers are the caller's alone."""
    # NO KEY: rows that point at the layer may still be inserted elsewhere.
    return FeatureLayer.objects.select_for_update(no_key=True).get(pk=layer.pk)


def advance(
    layer: FeatureLayer,
    edits: int,
    *,
    count_change: int,
    boxes: Sequence[tuple[float, float, float, float]],
) -> int:
    """Return the first of `edits` new numbers of the log, taken in the edit's own transaction; ring for the last.

    A database sequence would not do: it shows 12 before 11 is committed, and whoever reads at 12 never sees 11.

    Args:
        layer: locked by the caller; `next_fid` is stored with the numbers.
        edits: how many numbers.
        count_change: how many more living features there are.
        boxes: (west, south, east, north) by which the layer's box grows.
    """
    west = min((box[0] for box in boxes), default=None)
    south = min((box[1] for box in boxes), default=None)
    east = max((box[2] for box in boxes), default=None)
    north = max((box[3] for box in boxes), default=None)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE features_featurelayer SET seq = seq + %s, next_fid = %s, feature_count = feature_count + %s,
                west = least(west, %s), south = least(south, %s), east = greatest(east, %s),
                north = greatest(north, %s), updated_at = clock_timestamp()
            WHERE id = %s RETURNING seq""",
            [edits, layer.next_fid, count_change, west, south, east, north, layer.pk],
        )
        layer.seq = cursor.fetchone()[0]
    doorbell.ring(f"layer:{layer.pk}", layer.seq)
    return layer.seq - edits + 1
