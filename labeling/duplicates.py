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

_MIDDLES = """SELECT f.fid, ST_X(c), ST_Y(c), f.area_m2 FROM features_feature f
    CROSS JOIN LATERAL (SELECT ST_Centroid(f.geometry) AS c OFFSET 0) middle
    WHERE f.layer_id = %s AND NOT f.deleted AND NOT ST_IsEmpty(c)"""


def candidates(layer_id: UUID, iou: float) -> tuple[list[int], list[int]]:
    """Return the numbers (fid) of pairs in a layer that may be duplicates: the later ones, and the earlier ones.

    Args:
        layer_id: the layer.
        iou: how much two areas share at least; the smaller one has at least so much of the larger one's.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MIDDLES, [layer_id])
        rows: NDArray[np.float64] = np.array(cursor.fetchall(), dtype=float).reshape(-1, 4)
    fid, lon, lat, area = rows.T
    # Mercator: a degree is as long to the east as to the north.
    turned = np.radians(np.clip(lat, -89, 89))
    middles = shapely.points(lon, np.degrees(np.arcsinh(np.tan(turned))))
    reach = np.maximum(APART * np.sqrt(area) / (DEGREE_M * np.cos(turned)), SAME_PLACE)
    one, other = shapely.STRtree(middles).query(middles, predicate="dwithin", distance=reach)
    alike = (fid[other] < fid[one]) & (np.minimum(area[one], area[other]) >= iou * np.maximum(area[one], area[other]))
    return fid[one[alike]].astype(int).tolist(), fid[other[alike]].astype(int).tolist()
