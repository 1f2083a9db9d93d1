"""What the formats that count in pixels share: shapes of our samples on the image, and what does not fit there."""

from collections.abc import Iterator
from dataclasses import dataclass

import shapely
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from webapp.errors import BadVectors
from webapp.vectors.table import Grid, Sample, Table, Task

OUTSIDE = "samples outside the imagery left out"
CUT = "samples cut at the edge of the imagery"
NO_AREA = "points and lines left out: the format holds areas"
NO_CLASS = "samples without a class left out"
HOLES = "holes filled: the format holds outlines only"
PARTS = "samples of several parts written as one sample for each part"
BOXED = "outlines written as their boxes"
PROPERTIES = "fields left out: the format holds the class only"


@dataclass(frozen=True, slots=True)
class OnImage:
    """A sample as polygons in pixels (col, row) inside the image."""

    sample: Sample
    parts: list[Polygon]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) in pixels."""
        bounds = shapely.total_bounds(self.parts)
        return float(bounds[0]), float(bounds[1]), float(bounds[2]), float(bounds[3])

    @property
    def is_box(self) -> bool:
        """Whether it fills its box."""
        left, top, right, bottom = self.bounds
        return sum(part.area for part in self.parts) >= (right - left) * (bottom - top) * (1 - 1e-6)


def on_image(task: Task, *, need_class: bool = True) -> Iterator[OnImage]:
    """Yield the samples with an area on the imagery; the rest is counted in `task.lost`."""
    grid = task.pixels
    frame = box(0, 0, grid.width, grid.height)
    for sample in task.samples():
        if shapely.get_dimensions(sample.geometry) != 2:
            task.lost[NO_AREA] += 1
            continue
        if need_class and sample.class_value is None:
            task.lost[NO_CLASS] += 1
            continue
        pixels = grid.to_pixels(sample.geometry)
        if not frame.covers(pixels):
            pixels = shapely.intersection(pixels, frame) if pixels.is_valid else shapely.Polygon()
            task.lost[CUT if not pixels.is_empty else OUTSIDE] += 1
        parts = [part for part in shapely.get_parts(pixels) if isinstance(part, Polygon) and part.area > 0]
        if parts:
            yield OnImage(sample, parts)


def note_fields(task: Task) -> None:
    """Count the fields that a format of classes only leaves out."""
    names = {name for sample in task.samples() for name in sample.properties}
    task.lost[PROPERTIES] += len(names)


def used(task: Task) -> list[int]:
    """Return the class values of the schema in its order: their places are the numbers of a list of names."""
    return [item.value for item in task.classes]


def ring(polygon: Polygon) -> list[tuple[float, float]]:
    """Return the corners of an outline, the last one not repeated, clockwise on the screen from its first."""
    return [(float(x), float(y)) for x, y in polygon.exterior.coords[:-1]]


def filled(task: Task, polygon: Polygon) -> Polygon:
    """Return a polygon without its holes, counting them."""
    task.lost[HOLES] += len(polygon.interiors)
    return Polygon(polygon.exterior)


def need(grid: Grid | None, what: str) -> Grid:
    """Return the grid, which a pixel format cannot be read without.

    Raises:
        BadVectors: there is none.
    """
    if grid is None:
        raise BadVectors(
            f"{what} labels count in pixels of an image, and this layer stands on none.",
            fix="Import them into a label set over that image.",
            code="imagery_missing",
        )
    return grid


def matching(tables: list[Table], grid: Grid) -> list[Table]:
    """Return the tables with that of the grid's image first."""
    return sorted(tables, key=lambda table: (table.name.rpartition(".")[0] or table.name) not in (grid.name, grid.stem))


def to_ground(grid: Grid, pixels: BaseGeometry | None) -> BaseGeometry | None:
    """Return a geometry on the ground of one in pixels."""
    return None if pixels is None else grid.to_ground(pixels)
