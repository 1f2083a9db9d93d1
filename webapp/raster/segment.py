"""Outlines found in pixels: the region like a clicked place, and the object in a box. No model is needed.

Both work on bands stretched to 0..1 by the pixels around, and give a mask; `outline` turns a mask into a polygon.
"""

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow
from shapely import MultiPolygon, Polygon

from webapp.raster.read import Transform
from webapp.raster.shapes import trace

Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Colours are compared in so many steps of each band: fine enough for roofs, coarse enough to count.
BINS = 8
MAX_ROUNDS = 5
# Of the graph cut's energies; Rother, Kolmogorov and Blake 2004 ("GrabCut") use 50 for the smoothness.
SMOOTHNESS = 50.0
CAPACITY = 100.0
CERTAIN = 100_000
# The outline may leave the pixels' stairs by so many pixels.
SIMPLIFY_PX = 0.9
# A hole of so many pixels in a region is a chimney or noise.
LARGEST_SPECK_PX = 64


def stretched(array: NDArray[np.generic], valid: Mask) -> Pixels:
    """Return at most three bands (band, row, col) from their 2nd to their 98th percentile as 0..1 float32."""
    bands = array[:3].astype(np.float32)
    out = np.zeros_like(bands)
    for band, made in zip(bands, out, strict=True):
        seen = band[valid]
        if seen.size:
            low, high = np.percentile(seen, (2, 98))
            # What is no data may be NaN, which would spread to its neighbours.
            made[:] = np.where(valid, np.clip((band - low) / max(float(high - low), 1e-6), 0, 1), 0)
    return out


def region(pixels: Pixels, valid: Mask, *, row: int, col: int, tolerance: float) -> Mask:
    """Return the pixels joined to a place whose colour is within `tolerance` (0..1) of it in every band.

    The colour of the place is the median of the 3 x 3 pixels around it, so that a speck does not decide; small
    holes, and bays of a pixel or two, are closed.
    """
    around = pixels[:, max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2]
    seed = np.median(around.reshape(len(pixels), -1), axis=1)
    smooth = ndimage.uniform_filter(pixels, size=(0, 3, 3))
    like = (np.abs(smooth - seed[:, None, None]) <= tolerance).all(axis=0) & valid
    like[row, col] = True
    closed = ndimage.binary_closing(like, iterations=2) | like
    opened = ndimage.binary_opening(closed)
    # The opening takes hairs away, through which a region would leak; a thin region is better than none.
    chosen = opened if opened[row, col] else closed
    parts, _ = ndimage.label(chosen)
    return _without_specks(parts == parts[row, col]) & valid


def inside(pixels: Pixels, valid: Mask, box: tuple[int, int, int, int]) -> Mask:
    """Return the pixels of the object in a box (top, left, bottom, right; pixels), by iterated graph cuts.

    What lies outside the box is background for certain. Colours of both sides are counted (with their bins smoothed),
    the cut of least energy between them is a maximum flow, and both are repeated until nothing changes.
    """
    top, left, bottom, right = box
    sure = np.ones(valid.shape, dtype=bool)
    sure[top:bottom, left:right] = False
    sure |= ~valid
    bins = _bins(pixels)
    links = _links(pixels)
    front = ~sure
    for _ in range(MAX_ROUNDS):
        chosen = _cut(links, _costs(bins, front), sure)
        if not chosen.any() or (chosen == front).all():
            break
        front = chosen
    parts, count = ndimage.label(front)
    if not count:
        return ~sure
    sizes = ndimage.sum_labels(front, parts, range(1, count + 1))
    found: Mask = ndimage.binary_fill_holes(parts == 1 + int(np.argmax(sizes))) & ~sure
    return found


def outline(mask: Mask, transform: Transform, *, row: int, col: int) -> Polygon | None:
    """Return the outline of a mask in the CRS of `transform`: the part that holds a pixel, else the largest one."""
    found = [shape for shape, _ in trace(mask.astype(np.uint8), transform=transform, mask=mask)]
    if not found:
        return None
    a, b, c, d, e, f = transform
    place = shapely.Point(a * (col + 0.5) + b * (row + 0.5) + c, d * (col + 0.5) + e * (row + 0.5) + f)
    best = next((shape for shape in found if shape.contains(place)), max(found, key=lambda shape: shape.area))
    return max(_smooth(best, transform), key=lambda part: part.area, default=None)


def outlines(mask: Mask, transform: Transform) -> Polygon | MultiPolygon | None:
    """Return the outline of a whole mask in the CRS of `transform`: one polygon, or several where it has parts."""
    traced = (shape for shape, _ in trace(mask.astype(np.uint8), transform=transform, mask=mask))
    made = shapely.union_all([part for shape in traced for part in _smooth(shape, transform)])
    return made if isinstance(made, Polygon | MultiPolygon) and not made.is_empty else None


def _smooth(shape: Polygon, transform: Transform) -> list[Polygon]:
    """Return an outline without the stairs of pixels and without pinholes."""
    a, b, _, d, e, _ = transform
    pixel = float(np.sqrt(abs(a * e - b * d)))
    solid = Polygon(shape.exterior, [hole for hole in shape.interiors if Polygon(hole).area > 16 * pixel**2])
    simple = shapely.make_valid(solid.simplify(SIMPLIFY_PX * pixel))
    return [part for part in shapely.get_parts(simple) if isinstance(part, Polygon)]


def _without_specks(mask: Mask) -> Mask:
    """Return the mask with its small holes filled; what is larger is something else."""
    holes, count = ndimage.label(ndimage.binary_fill_holes(mask) & ~mask)
    if not count:
        return mask
    sizes = np.bincount(holes.ravel())
    small = sizes <= LARGEST_SPECK_PX
    small[0] = False
    filled: Mask = mask | small[holes]
    return filled


def _bins(pixels: Pixels) -> NDArray[np.int64]:
    steps = np.minimum((pixels * BINS).astype(np.int64), BINS - 1)
    number = np.zeros(pixels.shape[1:], dtype=np.int64)
    for band in steps:
        number = number * BINS + band
    return number


def _costs(bins: NDArray[np.int64], front: Mask) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return what it costs to call each pixel front, and back: minus the logarithm of its colour's share there."""
    bands = max(1, round(np.log(bins.max() + 1) / np.log(BINS)))
    made = []
    for side in (front, ~front):
        counts = np.bincount(bins[side], minlength=BINS**bands).astype(np.float64)[: BINS**bands]
        cube = ndimage.gaussian_filter(counts.reshape((BINS,) * bands), 0.7) + 1e-3
        share = (cube / cube.sum()).ravel()
        made.append(np.minimum(-np.log(share[bins]) * CAPACITY / 10, CERTAIN).astype(np.int32))
    return made[0], made[1]


def _links(pixels: Pixels) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Return neighbours to the right and below, and what it costs to part them: little at edges."""
    height, width = pixels.shape[1:]
    index = np.arange(height * width).reshape(height, width)
    across = ((pixels[:, :, 1:] - pixels[:, :, :-1]) ** 2).sum(axis=0)
    down = ((pixels[:, 1:] - pixels[:, :-1]) ** 2).sum(axis=0)
    beta = 1 / (2 * max(float(np.concatenate([across.ravel(), down.ravel()]).mean()), 1e-6))
    first = np.concatenate([index[:, :-1].ravel(), index[:-1].ravel()])
    second = np.concatenate([index[:, 1:].ravel(), index[1:].ravel()])
    apart = np.concatenate([across.ravel(), down.ravel()])
    return first, second, (SMOOTHNESS * CAPACITY / 50 * np.exp(-beta * apart)).astype(np.int32) + 1


def _cut(
    links: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]],
    costs: tuple[NDArray[np.int32], NDArray[np.int32]],
    sure: Mask,
) -> Mask:
    """Return the front side of the cut of least energy."""
    first, second, weights = links
    as_front, as_back = (cost.ravel().copy() for cost in costs)
    as_front[sure.ravel()], as_back[sure.ravel()] = CERTAIN, 0
    count = sure.size
    source, sink = count, count + 1
    nodes = np.arange(count)
    rows = np.concatenate([first, second, np.full(count, source), nodes])
    cols = np.concatenate([second, first, nodes, np.full(count, sink)])
    capacity = np.concatenate([weights, weights, as_back, as_front]).astype(np.int32)
    graph = csr_array((capacity, (rows, cols)), shape=(count + 2, count + 2))
    left = graph - maximum_flow(graph, source, sink).flow
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    # Whatever the source still reaches is on its side.
    reached = np.zeros(count + 2, dtype=bool)
    reached[breadth_first_order(left, source, return_predecessors=False)] = True
    return reached[:count].reshape(sure.shape)
