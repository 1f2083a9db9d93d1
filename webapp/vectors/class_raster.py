"""A classified raster as labels, and labels burnt into a raster on the imagery's pixels."""

from collections.abc import Iterator
from pathlib import Path

import shapely

from webapp.raster.labels import burnt, traced
from webapp.vectors import pixels
from webapp.vectors.table import CLASS_VALUE, LONLAT, Grid, Row, Table, Task, moved


def tables(path: Path, name: str, grid: Grid | None) -> list[Table]:
    """Return the polygons of a thematic raster: one for each group of equal pixels, with its value.

    Raises:
        BadRaster: no raster of whole numbers, or without a position.
        TooLarge: too many pixels.
    """

    def rows() -> Iterator[Row]:
        crs, _, found = traced(path, name, size=(grid.height, grid.width) if grid else None)
        for polygon, value in found:
            placed = polygon if crs or grid is None else grid.to_ground(polygon)
            yield Row(placed, {CLASS_VALUE: value})

    crs, _, _ = traced(path, name, size=(grid.height, grid.width) if grid else None)
    return [Table("classes", rows, crs or (grid.crs if grid else ""), CLASS_VALUE)]


def write(task: Task) -> Path:
    """Return a GeoTIFF of class values, 0 where no label is; smaller samples lie over larger ones."""
    grid = task.pixels
    path = task.folder / f"{task.stem}.tif"
    shapes = []
    for sample in task.samples():
        if shapely.get_dimensions(sample.geometry) != 2:
            task.lost[pixels.NO_AREA] += 1
        elif sample.class_value is None:
            task.lost[pixels.NO_CLASS] += 1
        else:
            shapes.append((moved(sample.geometry, LONLAT, grid.crs), sample.class_value))
    pixels.note_fields(task)
    shapes.sort(key=lambda pair: -pair[0].area)
    a, b, c, d, e, f = grid.transform
    burnt(
        path,
        shapes,
        height=grid.height,
        width=grid.width,
        transform=(a, b, c, d, e, f),
        crs=grid.crs,
        classes={item.value: (item.name, item.colour) for item in task.classes},
    )
    task.lost["outlines follow the pixels"] += len(shapes)
    return path
