"""Polygons of a class raster, block by block, joined across block borders exactly, without a whole-raster call.

All geometry is in whole pixels until a polygon is finished, so joining pieces is exact. A group of pieces is joined
and handed out as soon as none of it can grow any more: what is held in memory is what touches the frontier.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from webapp.raster import shapes
from webapp.raster.windows import Window

# Whole pixels, so that joining is exact.
PIXELS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Shape:
    """What polygons should look like.

    Attributes:
        min_area_px: smaller polygons are left out, smaller holes are filled.
        simplify_px: largest distance of a simplified outline from the pixels' outline; 0 keeps every corner.
    """

    min_area_px: float = 0.0
    simplify_px: float = 0.0


@dataclass(slots=True)
class _Group:
    """Pieces that are one polygon, and how many of their pixels still touch a border that was not looked at."""

    pieces: list[Polygon] = field(default_factory=list)
    open: int = 0
    first: int = 0


class _Groups:
    """Union-find over pieces."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self.groups: dict[int, _Group] = {}
        self._count = 0

    def add(self, polygon: Polygon, border_px: int) -> int:
        """Return the number of a new piece that touches `border_px` pixels of borders still to be looked at."""
        number = self._count
        self._count += 1
        self._parent[number] = number
        self.groups[number] = _Group([polygon], border_px, number)
        return number

    def find(self, piece: int) -> int:
        """Return the number of the group that a piece belongs to."""
        root = piece
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[piece] != root:
            self._parent[piece], piece = root, self._parent[piece]
        return root

    def join(self, one: int, other: int) -> None:
        """Make the groups of two pieces one."""
        low, high = sorted((self.find(one), self.find(other)))
        if low != high:
            gone = self.groups.pop(high)
            self._parent[high] = low
            self.groups[low].pieces += gone.pieces
            self.groups[low].open += gone.open

    def close(self, piece: int, pixels: int) -> _Group | None:
        """Note that `pixels` of a piece's border were looked at; return its group when nothing is open any more."""
        root = self.find(piece)
        group = self.groups[root]
        group.open -= pixels
        return self.groups.pop(root) if group.open == 0 else None


@dataclass(frozen=True, slots=True)
class _Line:
    """The pixels along one side of a block: piece (-1: none) and class of each."""

    pieces: NDArray[np.int64]
    values: NDArray[np.int64]


def polygons(
    read: Callable[[Window], NDArray[np.uint8]],
    windows: Sequence[Window],
    *,
    leave_out: Sequence[int] = (0, 255),
    shape: Shape = Shape(),
) -> Iterator[tuple[Polygon, int]]:
    """Yield (polygon in grid pixels (col, row), class value) for each group of pixels joined by their sides.

    Deterministic: the order and the polygons depend on the raster and the windows only.

    Args:
        read: returns uint8 (row, col) of a window.
        windows: a regular grid, row by row, as `plan.block_windows` gives it.
        leave_out: values that are no objects: background and nodata.
        shape: smallest area, simplification.
    """
    groups = _Groups()
    above: dict[int, _Line] = {}
    left: _Line | None = None
    right_end = max(window.col + window.width for window in windows)
    lower_end = max(window.row + window.height for window in windows)
    for window in windows:
        if window.col == 0:
            left = None
        has_right, has_lower = window.col + window.width < right_end, window.row + window.height < lower_end
        block = _Block(read(window), window, leave_out)
        sides = (
            left is not None,
            window.row > 0,
            has_right,
            has_lower,
        )
        whole, numbers = block.pieces(groups, sides)
        yield from _finished(whole, shape)
        closed: list[tuple[_Group, int]] = []
        for mine, theirs in (
            (block.line("left", numbers), left),
            (block.line("upper", numbers), above.pop(window.col, None)),
        ):
            if theirs is not None:
                closed += _meet(groups, theirs, mine)
        yield from _finished(((_dissolve(group), value) for group, value in closed), shape)
        left = block.line("right", numbers) if has_right else None
        if has_lower:
            above[window.col] = block.line("lower", numbers)


class _Block:
    """One block traced: its polygons, and which of them each border pixel belongs to."""

    def __init__(self, classes: NDArray[np.uint8], window: Window, leave_out: Sequence[int]) -> None:
        self.classes = classes
        self.window = window
        mask = ~np.isin(classes, leave_out)
        transform = (1.0, 0.0, float(window.col), 0.0, 1.0, float(window.row))
        self.traced = list(shapes.trace(classes, transform=transform, mask=mask)) if mask.any() else []
        self.mask = mask

    def pieces(
        self, groups: _Groups, sides: tuple[bool, bool, bool, bool]
    ) -> tuple[list[tuple[Polygon, int]], dict[str, NDArray[np.int64]]]:
        """Return polygons that no neighbour can touch, and for each side the piece of each of its pixels.

        Args:
            groups: takes the others.
            sides: whether there is a neighbour to the left, above, to the right, below.
        """
        height, width = self.classes.shape
        lines = {
            "left": np.full(height, -1, dtype=np.int64),
            "upper": np.full(width, -1, dtype=np.int64),
            "right": np.full(height, -1, dtype=np.int64),
            "lower": np.full(width, -1, dtype=np.int64),
        }
        whole: list[tuple[Polygon, int]] = []
        shared = dict(zip(("left", "upper", "right", "lower"), sides, strict=True))
        for polygon, value in self.traced:
            runs = [(side, run) for side, run in _border_runs(polygon, self.window) if shared[side]]
            if not runs:
                whole.append((polygon, value))
                continue
            number = groups.add(polygon, sum(stop - start for _, (start, stop) in runs))
            for side, (start, stop) in runs:
                lines[side][start:stop] = number
        return whole, lines

    def line(self, side: str, numbers: dict[str, NDArray[np.int64]]) -> _Line:
        """Return pieces and classes along a side."""
        edge = {
            "left": self.classes[:, 0],
            "right": self.classes[:, -1],
            "upper": self.classes[0],
            "lower": self.classes[-1],
        }
        return _Line(numbers[side], edge[side].astype(np.int64))


def _border_runs(polygon: Polygon, window: Window) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield (side, (start, stop)) for each stretch of a polygon's outline on the window's sides, in its pixels."""
    west, north, east, south = polygon.bounds
    left, upper = window.col, window.row
    right, lower = left + window.width, upper + window.height
    if west > left and north > upper and east < right and south < lower:
        return
    points = shapely.get_coordinates(polygon.exterior)
    start, stop = points[:-1], points[1:]
    for side, axis, at in (("left", 0, left), ("right", 0, right), ("upper", 1, upper), ("lower", 1, lower)):
        on = (start[:, axis] == at) & (stop[:, axis] == at)
        along = 1 - axis
        origin = upper if along else left
        for one, other in zip(start[on, along], stop[on, along], strict=True):
            low, high = sorted((int(one) - origin, int(other) - origin))
            yield side, (low, high)


def _meet(groups: _Groups, theirs: _Line, mine: _Line) -> list[tuple[_Group, int]]:
    """Join pieces of one class on both sides of a border; return the groups that can grow no more, with class."""
    same = (theirs.pieces >= 0) & (mine.pieces >= 0) & (theirs.values == mine.values)
    for one, other in np.unique(np.stack([theirs.pieces[same], mine.pieces[same]], axis=1), axis=0):
        groups.join(int(one), int(other))
    closed: list[tuple[_Group, int]] = []
    for line in (theirs, mine):
        numbers, first, counts = np.unique(line.pieces, return_index=True, return_counts=True)
        for number, at, count in zip(numbers, first, counts, strict=True):
            if number >= 0:
                group = groups.close(int(number), int(count))
                if group is not None:
                    closed.append((group, int(line.values[at])))
    return closed


def _dissolve(group: _Group) -> Polygon:
    """Return the pieces as one polygon."""
    if len(group.pieces) == 1:
        return group.pieces[0]
    joined = shapely.union_all([_valid(piece) for piece in group.pieces])
    assert isinstance(joined, Polygon), f"pieces that share a side make one polygon, got {joined.geom_type}"
    return joined


def _valid(polygon: Polygon) -> BaseGeometry:
    """Return a ring that touches itself at a corner as a hole that touches the outline."""
    return polygon if polygon.is_valid else shapely.make_valid(polygon)


def _finished(
    found: Sequence[tuple[Polygon, int]] | Iterator[tuple[Polygon, int]], shape: Shape
) -> Iterator[tuple[Polygon, int]]:
    for polygon, value in found:
        if polygon.area < shape.min_area_px:
            continue
        done = corners_only(polygon, min_hole_px=shape.min_area_px)
        if shape.simplify_px > 0:
            done = _simplified(done, shape.simplify_px)
        for part in shapely.get_parts(_valid(done)):
            if isinstance(part, Polygon):
                yield part, value


def _simplified(polygon: Polygon, distance_px: float) -> Polygon:
    """Return the polygon with fewer corners (topology kept); unchanged where that would not be a valid polygon."""
    simple: BaseGeometry = shapely.simplify(polygon, distance_px, preserve_topology=True)
    return simple if isinstance(simple, Polygon) and simple.is_valid and not simple.is_empty else polygon


def corners_only(polygon: Polygon, *, min_hole_px: float = 0.0) -> Polygon:
    """Return the same polygon with corners only, starting at one, holes below `min_hole_px` filled."""
    holes = [ring for ring in polygon.interiors if Polygon(ring).area >= min_hole_px]
    corners = Polygon(_corners(polygon.exterior), [_corners(ring) for ring in holes])
    normal: Polygon = shapely.normalize(corners)
    return normal


def _corners(ring: shapely.LinearRing) -> NDArray[np.float64]:
    """Return the points of a ring at which it turns; exact for whole-number coordinates."""
    points = shapely.get_coordinates(ring)[:-1]
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turns = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0] != 0
    corners: NDArray[np.float64] = points[turns]
    return corners
