"""Inference on local files in three lines, without a server. The same engine as the jobs.

from inference.tools import classify_pixels, detect_objects

classify_pixels("scene.tif", "roofs.dlpk", "classes.tif", polygons="roofs.geojson")
detect_objects("scene.tif", "trees.dlpk", "trees.geojson", threshold=0.4)
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
import torch

from inference import merge, predict, vectorise
from inference.matching import Needs, Planned, parse_extent, plan
from inference.plan import Grid, block_windows, to_ground
from inference.reading import Predictor, Work
from inference.specs import Settings
from training import package
from training.package import Description
from webapp.errors import Invalid
from webapp.raster.blocks import BlockFolder, BlockGrid, write_file
from webapp.raster.read import info
from webapp.raster.shapes import footprint, pixel_size_m, to_crs

# Called with the share done, 0 to 1, and a few words.
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Done:
    """What came out.

    Attributes:
        path: class raster, or GeoJSON of the objects.
        pixels: predicted.
        seconds: that this took.
        features: polygons or objects written; None where none were asked for.
    """

    path: Path
    pixels: int
    seconds: float
    features: int | None


def classify_pixels(
    raster: Path | str,
    model: Path | str,
    output: Path | str,
    *,
    polygons: Path | str | None = None,
    extent: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    device: str = "auto",
    **settings: Any,
) -> Done:
    """Classify every pixel of a raster and write a class raster (COG), and polygons as GeoJSON where asked for.

    Args:
        raster: GeoTIFF with the bands that the model takes.
        model: a model package (.dlpk) for pixel classification.
        output: the class raster to write: uint8, 255 where there is no data, colours of the classes.
        polygons: GeoJSON file to write (EPSG:4326).
        extent: GeoJSON polygon in EPSG:4326; None for the whole raster.
        progress: called after each block.
        device: cpu, cuda, or auto.
        **settings: see `inference.specs.Settings`.

    Raises:
        BandMismatch: bands, type or resolution do not fit.
        Invalid: a setting, the extent or the package cannot be used.
    """
    started = time.perf_counter()
    prepared = _prepare(Path(raster), Path(model), "classify_pixels", extent, settings, device)
    planned, grid = prepared.planned, prepared.planned.grid
    say = progress or _silent
    target = Path(output)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
        folder = BlockFolder.create(
            scratch, BlockGrid(grid.height, grid.width, grid.transform, grid.crs_wkt, planned.layout.block_px)
        )
        found = predict.classify(prepared.work, prepared.predictor, planned.blocks)
        for count, block in enumerate(found, start=1):
            folder.write_block(block.number, block.window, block.classes)
            say(0.9 * count / len(planned.blocks), f"Block {count} of {len(planned.blocks)}")
        classes = prepared.description.classes
        folder.assemble(target, colours={entry.value: entry.colour for entry in classes})
        drawn = None
        if polygons is not None:
            say(0.95, "Drawing polygons")
            windows = list(block_windows(grid.height, grid.width, planned.layout.block_px))
            smallest = prepared.settings.min_area_m2 / (prepared.pixel_m**2 * grid.scale**2)
            shape = vectorise.Shape(smallest, prepared.settings.simplify_px)
            traced = vectorise.polygons(folder.read, windows, shape=shape)
            drawn = _write_geojson(
                Path(polygons), ((polygon, {"class_value": value}) for polygon, value in traced), prepared
            )
    say(1.0, "Done")
    return Done(target, planned.pixels, time.perf_counter() - started, drawn)


def detect_objects(
    raster: Path | str,
    model: Path | str,
    output: Path | str,
    *,
    extent: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    device: str = "auto",
    **settings: Any,
) -> Done:
    """Detect objects in a raster and write them as GeoJSON (EPSG:4326) with class and score, best first.

    Args:
        raster: GeoTIFF with the bands that the model takes.
        model: a model package (.dlpk) for detection.
        output: the GeoJSON file to write.
        extent: GeoJSON polygon in EPSG:4326; None for the whole raster.
        progress: called after each block.
        device: cpu, cuda, or auto.
        **settings: see `inference.specs.Settings`.

    Raises:
        BandMismatch: bands, type or resolution do not fit.
        Invalid: a setting, the extent or the package cannot be used.
    """
    started = time.perf_counter()
    prepared = _prepare(Path(raster), Path(model), "detect_objects", extent, settings, device)
    planned, say = prepared.planned, progress or _silent
    parts = []
    for count, block in enumerate(predict.detect(prepared.work, prepared.predictor, planned.blocks), start=1):
        parts.append(block.detections)
        say(count / len(planned.blocks), f"Block {count} of {len(planned.blocks)}")
    found = merge.suppress(merge.concatenate(parts), max_overlap=prepared.settings.max_overlap)
    drawn = (
        (shapely.box(*box), {"class_value": int(value), "score": round(float(score), 4)})
        for box, score, value in zip(found.boxes, found.scores, found.classes, strict=True)
    )
    written = _write_geojson(Path(output), drawn, prepared)
    return Done(Path(output), planned.pixels, time.perf_counter() - started, written)


def needs_of(description: Description) -> Needs:
    """Return what a package wants to see."""
    return Needs(
        task=description.task,
        bands=description.bands,
        dtype=description.dtype,
        resolution_m=description.resolution_m,
        chip_px=description.chip_px,
        halo_px=description.halo_px,
        class_values=description.class_values,
    )


def load(path: Path, *, device: str) -> tuple[Description, Predictor]:
    """Return a package's description, and the package ready to predict.

    Raises:
        BadPackage: it cannot be read.
    """
    loaded = package.load(path, device=device)
    description = loaded.description
    return description, Predictor(
        forward=lambda x: loaded.network.raw_forward(loaded.module, x),
        mean=description.mean,
        std=description.std,
        class_values=description.class_values,
        device=device,
    )


def device_of(wanted: str) -> str:
    """Return cpu or cuda; `auto` takes a GPU where there is one.

    Raises:
        Invalid: cuda is wanted and there is none.
    """
    if wanted not in ("auto", "cpu", "cuda"):
        raise Invalid(f"There is no device '{wanted}'.", fix="Use cpu, cuda or auto.")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise Invalid("This machine has no GPU.", fix="Choose the device cpu or auto.", code="no_gpu")
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return wanted


# Chips to a forward pass: one keeps a CPU busy, a GPU wants more.
BATCH = {"cpu": 1, "cuda": 8}


@dataclass(frozen=True, slots=True)
class _Prepared:
    description: Description
    predictor: Predictor
    settings: Settings
    planned: Planned
    work: Work
    pixel_m: float


def _prepare(
    raster: Path, model: Path, task: str, extent: Mapping[str, Any] | None, asked: Mapping[str, Any], device: str
) -> _Prepared:
    description, predictor = load(model, device=device_of(device))
    if description.task != task:
        raise Invalid(
            f"'{model.name}' is a package to {description.task.replace('_', ' ')}.",
            fix=f"Use {description.task}, or another package.",
        )
    about, settings = info(raster), Settings.parse(asked, task=task)
    shape = parse_extent(extent)
    planned = plan(
        about,
        needs_of(description),
        settings,
        names=about.descriptions,
        extent=shape,
        footprint=footprint(raster).bounds if shape is not None else (-180.0, -90.0, 180.0, 90.0),
    )
    predict.configure(threads=os.cpu_count() or 1)
    work = Work(
        path=raster,
        grid=planned.grid,
        layout=planned.layout,
        extent=planned.extent,
        bands=planned.bands,
        batch_size=BATCH[predictor.device],
        threshold=settings.threshold,
    )
    return _Prepared(description, predictor, settings, planned, work, pixel_size_m(about))


def _write_geojson(path: Path, found: Iterable[tuple[shapely.Polygon, dict[str, Any]]], prepared: _Prepared) -> int:
    """Write features one by one, whole file or none; return how many."""
    names = {entry.value: entry.name for entry in prepared.description.classes}
    grid: Grid = prepared.planned.grid
    lines = []
    for polygon, properties in found:
        geometry = to_crs(to_ground(polygon, grid), grid.crs_wkt, 4326)
        told = {**properties, "class": names.get(properties["class_value"], "")}
        lines.append(
            json.dumps({"type": "Feature", "geometry": shapely.geometry.mapping(geometry), "properties": told})
        )
    body = ",\n".join(lines)
    write_file(path, f'{{"type": "FeatureCollection", "features": [\n{body}\n]}}\n'.encode())
    return len(lines)


def _silent(fraction: float, text: str) -> None:
    """Say nothing."""
