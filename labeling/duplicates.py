"""Which samples of a large set may be one object twice: looked for by their middles, not by comparing all with all."""

from uuid import UUID

import numpy as np
import shapely
from django.db import connection
from numpy.typing import NDArray

# Two areas that share nine tenths have middles apart by a small part of their side, unless one has a long thin tail.
APART = 0.1
# Of points and lines, which have no side: degrees.
SAME_PLACE = 1e-9
DEGREE_M = 111_320

# So many middles are looked about from at once, each of which may have all others near it.
SLICE = 16
# What a web process looks at and keeps, in a few seconds and tens of megabytes.
MOST_LOOKS, MOST_PAIRS = 2_000_000, 1_000_000

_MIDDLES = """SELECT f.fid, ST_X(c), ST_Y(c), f.area_m2, ST_Dimension(f.geometry), ST_XMin(f.geometry),
        ST_YMin(f.geometry), ST_XMax(f.geometry), ST_YMax(f.geometry) FROM features_feature f
    CROSS JOIN LATERAL (SELECT ST_Centroid(f.geometry) AS c OFFSET 0) middle
    WHERE f.layer_id = %s AND NOT f.deleted AND NOT ST_IsEmpty(c) ORDER BY f.fid"""


def candidates(layer_id: UUID, iou: float) -> tuple[list[int], list[int]] | None:
    """Return the numbers (fid) of pairs in a layer that may be duplicates: the later ones, and the earlier ones.

    Of those that have one middle, area and box each is paired with the earliest only: however many lie at one place,
    each is found once. None: so many lie so near to each other that they cannot be looked through.

    Args:
        layer_id: the layer.
        iou: how much two areas share at least; the smaller one has at least so much of the larger one's.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MIDDLES, [layer_id])
        rows: NDArray[np.float64] = np.array(cursor.fetchall(), dtype=float).reshape(-1, 9)
    # Rows come in the order of their numbers, so the first of a kind is the earliest.
    _, first, kind = np.unique(rows[:, 1:], axis=0, return_index=True, return_inverse=True)
    earliest = first[kind.reshape(-1)]
    again = np.flatnonzero(earliest != np.arange(len(rows)))
    near = _near(rows[np.sort(first)], iou)
    if near is None:
        return None
    later = np.concatenate([rows[again, 0], near[0]])
    earlier = np.concatenate([rows[earliest[again], 0], near[1]])
    return later.astype(int).tolist(), earlier.astype(int).tolist()


def _near(rows: NDArray[np.float64], iou: float) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the later and the earlier numbers of pairs with middles near each other; None: too many."""
    fid, lon, lat, area = rows.T[:4]
    # Mercator: a degree is as long to the east as to the north.
    turned = np.radians(np.clip(lat, -89, 89))
    middles = shapely.points(lon, np.degrees(np.arcsinh(np.tan(turned))))
    reach = np.maximum(APART * np.sqrt(area) / (DEGREE_M * np.cos(turned)), SAME_PLACE)
    tree = shapely.STRtree(middles)
    pairs: list[NDArray[np.float64]] = [np.empty((2, 0))]
    looks = kept = 0
    for start in range(0, len(rows), SLICE):
        part = slice(start, start + SLICE)
        one, other = tree.query(middles[part], predicate="dwithin", distance=reach[part])
        one = one + start
        larger, smaller = np.maximum(area[one], area[other]), np.minimum(area[one], area[other])
        alike = (fid[other] < fid[one]) & (smaller >= iou * larger)
        pairs.append(np.stack([fid[one[alike]], fid[other[alike]]]))
        # Each sees itself.
        looks, kept = looks + len(one) - len(middles[part]), kept + int(alike.sum())
        if looks > MOST_LOOKS or kept > MOST_PAIRS:
            return None
    later, earlier = np.concatenate(pairs, axis=1)
    return later, earlier
