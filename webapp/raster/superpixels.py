"""Segments of like pixels, for selecting an object piece by piece. No model is needed.

Achanta et al. 2012, "SLIC superpixels compared to state-of-the-art superpixel methods": k-means of colour and place,
each pixel among the nine centres around it. Written with numpy: scikit-image would bring 40 MB for one function.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from webapp.raster.segment import Mask, Pixels

Labels = NDArray[np.uint16]

# A step of one segment's size weighs as much as so much of the colours' range: 0.3 to 0.5 and four to six rounds were
# the best of what was tried on the buildings of Banepa.
COMPACTNESS = 0.4
ROUNDS = 5
SMOOTH_PX = 0.7


def superpixels(pixels: Pixels, valid: Mask, *, size: int) -> Labels:
    """Return the segment of each pixel, 1 to n; 0 where there is no data. Each segment is in one piece.

    Args:
        pixels: (band, row, col), 0..1.
        valid: (row, col).
        size: of a segment, in pixels along its side.
    """
    height, width = valid.shape
    down, across = max(1, round(height / size)), max(1, round(width / size))
    rows, cols = np.mgrid[0:height, 0:width].astype(np.float32)
    cell = (rows * down / height).astype(np.int64), (cols * across / width).astype(np.int64)
    places = (rows / size * COMPACTNESS, cols / size * COMPACTNESS)
    facts = np.stack([*ndimage.gaussian_filter(pixels, (0, SMOOTH_PX, SMOOTH_PX)), *places])
    found = cell[0] * across + cell[1]
    for _ in range(ROUNDS):
        found = _nearest(facts, _centres(facts, found, valid, down * across), cell, (down, across))
    return _numbered(_joined(found, valid), valid)


def _centres(facts: Pixels, found: NDArray[np.int64], valid: Mask, count: int) -> Pixels:
    inside = found[valid]
    sizes = np.maximum(np.bincount(inside, minlength=count), 1)
    sums = [np.bincount(inside, fact[valid], minlength=count) for fact in facts]
    return (np.stack(sums) / sizes).astype(np.float32)


def _nearest(
    facts: Pixels, centres: Pixels, cell: tuple[NDArray[np.int64], NDArray[np.int64]], shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Return for each pixel the nearest centre of the cells around its own."""
    best = np.full(facts.shape[1:], np.inf, np.float32)
    found = np.zeros(facts.shape[1:], np.int64)
    for step_down in (-1, 0, 1):
        for step_across in (-1, 0, 1):
            row = np.clip(cell[0] + step_down, 0, shape[0] - 1)
            col = np.clip(cell[1] + step_across, 0, shape[1] - 1)
            number = row * shape[1] + col
            apart = ((facts - centres[:, number]) ** 2).sum(axis=0)
            nearer = apart < best
            best[nearer], found[nearer] = apart[nearer], number[nearer]
    return found


def _joined(found: NDArray[np.int64], valid: Mask) -> NDArray[np.int64]:
    """Return the segments in one piece each: what lies apart from the largest part goes to its neighbour."""
    index = np.arange(found.size).reshape(found.shape)
    labels = np.where(valid, found, -1)
    across, down = labels[:, :-1] == labels[:, 1:], labels[:-1] == labels[1:]
    first = np.concatenate([index[:, :-1][across], index[:-1][down]])
    second = np.concatenate([index[:, 1:][across], index[1:][down]])
    links = coo_array((np.ones(first.size, np.int8), (first, second)), shape=(found.size, found.size))
    _, parts = connected_components(links, directed=False)
    sizes = np.bincount(parts)
    # Of each segment the pixel of its largest part comes first.
    order = np.lexsort((-sizes[parts], labels.ravel()))
    _, at = np.unique(labels.ravel()[order], return_index=True)
    kept = np.isin(parts, parts[order[at]]).reshape(found.shape) & valid
    if not kept.any():
        return found
    nearest = ndimage.distance_transform_edt(~kept, return_distances=False, return_indices=True)
    whole: NDArray[np.int64] = found[tuple(nearest)]
    return whole


def _numbered(found: NDArray[np.int64], valid: Mask) -> Labels:
    _, numbers = np.unique(found, return_inverse=True)
    return np.where(valid, numbers.reshape(found.shape) + 1, 0).astype(np.uint16)
