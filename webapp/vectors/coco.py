"""COCO object detection JSON (https://cocodataset.org/#format-data): polygons, boxes and masks in pixels."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from webapp.errors import BadVectors, TooLarge
from webapp.raster.shapes import trace
from webapp.vectors import origin, pixels
from webapp.vectors.ogr import plain
from webapp.vectors.table import CLASS_NAME, Grid, Row, Table, Task

MAX_BYTES = 512 << 20
MAX_MASK_PIXELS = 400_000_000
PIXELS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def tables(path: Path, grid: Grid | None) -> list[Table]:
    """Return one table for each image that has annotations, that of the imagery first.

    Raises:
        BadVectors: not COCO, or an image of another size than the imagery.
        TooLarge: over 512 MB.
    """
    grid = pixels.need(grid, "COCO")
    if path.stat().st_size > MAX_BYTES:
        raise TooLarge("The COCO file is over 512 MB.", fix="Split it by image.")
    try:
        content = json.loads(path.read_bytes())
        names = {item["id"]: str(item["name"]) for item in content["categories"]}
        images = {item["id"]: item for item in content["images"]}
        by_image: dict[Any, list[dict[str, Any]]] = {key: [] for key in images}
        for item in content["annotations"]:
            by_image[item["image_id"]].append(item)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadVectors(
            f"The file is no COCO: {type(error).__name__} {str(error)[:80]}.",
            fix="It needs images, categories and annotations that name each other by id.",
            code="bad_coco",
        ) from error
    found = [
        _table(images[key], rows, names, grid)
        for key, rows in by_image.items()
        if (rows or len(images) == 1)
    ]  # fmt: skip
    return pixels.matching(found, grid)


def _table(image: dict[str, Any], items: list[dict[str, Any]], names: dict[Any, str], grid: Grid) -> Table:
    size = (image.get("height"), image.get("width"))
    name = str(image.get("file_name", image.get("id")))
    fits = size == (grid.height, grid.width)

    def rows() -> Iterator[Row]:
        if not fits:
            raise BadVectors(
                f"The image '{name[:80]}' has {size[1]} x {size[0]} pixels, the imagery {grid.width} x {grid.height}.",
                fix="Import into the label set over that image, or choose another image of the file.",
                code="image_size",
            )
        for item in items:
            yield Row(pixels.to_ground(grid, _shape(item, size)), _values(item, names))

    notes = [] if fits else [f"Its size, {size[1]} x {size[0]}, is not that of the imagery."]
    return Table(name, rows, grid.crs, CLASS_NAME, notes)


def _values(item: dict[str, Any], names: dict[Any, str]) -> dict[str, Any]:
    attributes = item.get("attributes")
    values = {str(key): plain(value) for key, value in attributes.items()} if isinstance(attributes, dict) else {}
    values[CLASS_NAME] = names.get(item.get("category_id"))
    if isinstance(item.get("score"), int | float):
        values["score"] = item["score"]
    return values


def _shape(item: dict[str, Any], size: tuple[Any, Any]) -> BaseGeometry | None:
    found = item.get("segmentation")
    try:
        if isinstance(found, dict):
            return _mask(found, size)
        if found:
            rings = [Polygon(np.asarray(ring, dtype=float).reshape(-1, 2)) for ring in found]
            return rings[0] if len(rings) == 1 else MultiPolygon(rings)
        left, top, width, height = (float(number) for number in item["bbox"])
    except (ValueError, KeyError, TypeError, shapely.GEOSException):
        return None
    return box(left, top, left + width, top + height)


def _mask(found: dict[str, Any], size: tuple[Any, Any]) -> BaseGeometry | None:
    """Return the outline of a run-length encoded mask, compressed or not."""
    height, width = (int(number) for number in found["size"])
    if (height, width) != size or height * width > MAX_MASK_PIXELS:
        return None
    counts = _decompressed(found["counts"]) if isinstance(found["counts"], str) else [int(n) for n in found["counts"]]
    if any(count < 0 for count in counts) or sum(counts) != height * width:
        return None
    runs = np.repeat((np.arange(len(counts)) % 2).astype(np.uint8), counts)
    # Runs go down the columns.
    mask = np.ascontiguousarray(runs.reshape(width, height).T)
    parts = [polygon for polygon, _ in trace(mask, transform=PIXELS, mask=mask.astype(bool))]
    return shapely.union_all(parts) if parts else None


def _decompressed(text: str) -> list[int]:
    """Return the runs of COCO's compressed form.

    Five bits a character; from the fourth on, a run is the difference to the one before the last (cocoapi, maskApi.c).
    """
    counts: list[int] = []
    at = 0
    while at < len(text):
        value, shift, more = 0, 0, True
        while more:
            code = ord(text[at]) - 48
            value |= (code & 0x1F) << shift
            more = bool(code & 0x20)
            at, shift = at + 1, shift + 5
            if not more and code & 0x10:
                value |= -1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
    return counts


def write(task: Task) -> Path:
    """Return the written file: one image, polygons in pixels with all digits, fields as attributes."""
    grid = task.pixels
    path = task.folder / f"{task.stem}.json"
    image: dict[str, Any] = {
        "id": 1, "file_name": f"{grid.stem}.tif", "width": grid.width, "height": grid.height,
        "transform": list(grid.transform), "crs_wkt": grid.crs,
    }  # fmt: skip
    if grid.taken:
        image["date_captured"] = grid.taken
    categories = [{"id": item.value, "name": item.name, "supercategory": ""} for item in task.classes]
    info = {"description": task.name, "contributor": task.attribution} | origin.members(task)
    with path.open("w", encoding="utf-8") as file:
        head = {"info": info, "licenses": [], "images": [image], "categories": categories}
        file.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "annotations": [')
        for number, found in enumerate(pixels.on_image(task), start=1):
            file.write((",\n" if number > 1 else "\n") + json.dumps(_annotation(task, number, found)))
        file.write("\n]}\n")
    return path


def _annotation(task: Task, number: int, found: pixels.OnImage) -> dict[str, Any]:
    outlines = [pixels.filled(task, part) for part in found.parts]
    left, top, right, bottom = found.bounds
    annotation: dict[str, Any] = {
        "id": number, "image_id": 1, "category_id": found.sample.class_value, "iscrowd": 0,
        "segmentation": [[number for corner in pixels.ring(outline) for number in corner] for outline in outlines],
        "bbox": [left, top, right - left, bottom - top],
        "area": sum(outline.area for outline in outlines),
        "attributes": found.sample.properties,
    }  # fmt: skip
    if found.sample.score is not None:
        annotation["score"] = found.sample.score
    return annotation
