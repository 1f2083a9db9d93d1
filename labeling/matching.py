"""Which shapes of two sets are the same: overlaps, and the assignment with the largest sum. PURE."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry


def overlaps(a: Sequence[BaseGeometry], b: Sequence[BaseGeometry]) -> dict[tuple[int, int], float]:
    """Return the intersection over union of those that meet, by their places in `a` and `b`."""
    if not a or not b:
        return {}
    left, right = np.array(a, dtype=object), np.array(b, dtype=object)
    i, j = shapely.STRtree(right).query(left, predicate="intersects")
    common = shapely.area(shapely.intersection(left[i], right[j]))
    # Rounded, so that one half in decimals is one half after the change of plane too.
    iou = np.round(common / (shapely.area(left[i]) + shapely.area(right[j]) - common), 9)
    return dict(zip(zip(i.tolist(), j.tolist(), strict=True), iou.tolist(), strict=True))


def assign(iou: dict[tuple[int, int], float], least: float) -> list[tuple[int, int]]:
    """Return the pairs, each shape in one at most, whose overlaps of at least `least` have the largest sum.

    Shapes that meet by no chain of overlaps do not compete, so each such group is solved on its own: the cost grows
    with the cube of the largest group and not with that of all shapes.
    """
    # Takes a second and 40 MB to load: not in every web process, only in one that compares.
    from scipy.optimize import linear_sum_assignment

    allowed = {pair: value for pair, value in iou.items() if value >= least}
    found: list[tuple[int, int]] = []
    for pairs in _groups(list(allowed)):
        rows, columns = sorted({i for i, _ in pairs}), sorted({j for _, j in pairs})
        table = np.zeros((len(rows), len(columns)))
        place_i, place_j = {i: n for n, i in enumerate(rows)}, {j: n for n, j in enumerate(columns)}
        for i, j in pairs:
            table[place_i[i], place_j[j]] = allowed[i, j]
        chosen = zip(*linear_sum_assignment(table, maximize=True), strict=True)
        found += [(rows[m], columns[n]) for m, n in chosen if table[m, n] > 0]
    return found


def _groups(pairs: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Return the pairs by what hangs together."""
    if not pairs:
        return []
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    i, j = np.array(pairs).T
    size = int(i.max()) + 1
    whole = size + int(j.max()) + 1
    graph = coo_array((np.ones(len(pairs)), (i, size + j)), shape=(whole, whole))
    _, labels = connected_components(graph, directed=False)
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pair in pairs:
        found[int(labels[pair[0]])].append(pair)
    return list(found.values())
