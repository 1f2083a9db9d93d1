"""Chips: arrays cut from a scene at a resolution, with their labels."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from webapp.errors import Invalid
from webapp.raster import shapes
from webapp.raster.read import Info, Raster, Transform
from webapp.raster.windows import Window, grid

Format = Literal["Classified_Tiles", "PASCAL_VOC_rectangles"]

# Imagery this near to the wanted resolution is cut on its own pixels, as in inference.
SAME_RESOLUTION = 0.1
# Source pixels under a chip are whole numbers: networks take multiples of 32, scales are multiples of 1/32.
ALIGN_PX = 32
# A chip with less data, or less labelled ground, teaches nothing.
LEAST_USED = 0.1
LONLAT = 4326


@dataclass(frozen=True, slots=True)
class Label:
    """One labelled feature: its geometry in EPSG:4326 and its class value."""

    geometry: BaseGeometry
    value: int


@dataclass(frozen=True, slots=True)
class Cutting:
    """How chips are cut.

    Attributes:
        chip_px: side of a chip, a multiple of 32.
        stride_px: pixels from one chip to the next; `chip_px` for no overlap.
        resolution_m: ground size of a chip's pixel; None for the imagery's own.
        bands: 1-based bands of the imagery in the order wanted; None for all.
        features_only: leave out chips without any label.
        least_overlap: boxes of which less lies inside the chip are dropped (Esri: min_polygon_overlap_ratio).
    """

    chip_px: int = 256
    stride_px: int = 256
    resolution_m: float | None = None
    bands: tuple[int, ...] | None = None
    features_only: bool = False
    least_overlap: float = 0.25

    def __post_init__(self) -> None:
        if self.chip_px % ALIGN_PX or not ALIGN_PX <= self.chip_px <= 2048:
            raise Invalid(f"A chip of {self.chip_px} px cannot be cut.", fix="Use a multiple of 32 up to 2048.")
        if not 1 <= self.stride_px <= self.chip_px:
            raise Invalid(
                f"A stride of {self.stride_px} px does not fit chips of {self.chip_px} px.",
                fix="Use 1 up to the chip size.",
            )


@dataclass(frozen=True, slots=True)
class Plan:
    """The chips to cut: windows on a grid of chip pixels over the scene.

    Attributes:
        info: the scene.
        scale: pixels of the scene to one of a chip.
        resolution_m: ground size of a chip's pixel.
        windows: on the chip grid, all `chip_px` x `chip_px`.
        extent: what is labelled, in grid pixels (x = col, y = row).
    """

    info: Info
    scale: float
    resolution_m: float
    windows: tuple[Window, ...]
    extent: BaseGeometry

    def source(self, window: Window) -> Window:
        """Return the pixels of the scene under a chip."""
        side = round(window.height * self.scale)
        return Window(round(window.row * self.scale), round(window.col * self.scale), side, side)

    @property
    def to_grid(self) -> list[float]:
        """Affine of shapely from the scene's CRS to grid pixels."""
        return inverse(self.info.transform, self.scale)


@dataclass(frozen=True, slots=True)
class Cut:
    """One chip with its labels.

    Attributes:
        array: (band, row, col) in the scene's dtype.
        valid: bool (row, col); False where there is no data.
        labelled: bool (row, col); False where nobody labelled: no background, no answer known.
        transform: affine from the chip's pixel (col, row) to the scene's CRS.
        classes: (row, col) class values, 0 background.
        boxes: float64 (m, 4) xmin, ymin, xmax, ymax in pixels of the chip, clipped to it.
        values: (m,) class values of the boxes.
        areas_m2: (m,) ground areas of the labels' parts inside the chip.
    """

    array: NDArray[Any]
    valid: NDArray[np.bool_]
    labelled: NDArray[np.bool_]
    transform: Transform
    classes: NDArray[Any]
    boxes: NDArray[np.float64]
    values: NDArray[np.int64]
    areas_m2: NDArray[np.float64]


def normalise(
    array: NDArray[Any], valid: NDArray[np.bool_], mean: Sequence[float], std: Sequence[float]
) -> NDArray[np.float32]:
    """Return what a network takes: (pixel - mean) / std per band, and 0 (the mean) where there is no data.

    The one normaliser of training and inference.

    Args:
        array: (band, row, col) in raw units, or (n, band, row, col).
        valid: bool (row, col), or (n, row, col).
        mean: per band, in raw units.
        std: per band, in raw units.

    Returns:
        float32 of the array's shape.
    """
    shape = (-1, 1, 1)
    out = array.astype(np.float32)
    out -= np.asarray(mean, dtype=np.float32).reshape(shape)
    out /= np.asarray(std, dtype=np.float32).reshape(shape)
    # NaN stands under invalid pixels of float rasters, so it is overwritten rather than multiplied.
    np.copyto(out, 0.0, where=~valid[..., None, :, :])
    return out


def inverse(transform: Transform, scale: float) -> list[float]:
    """Return shapely's affine (a, b, d, e, x, y) from the CRS to pixels that are `scale` pixels of the scene wide."""
    a, b, c, d, e, f = transform
    determinant = (a * e - b * d) * scale
    return [
        e / determinant,
        -b / determinant,
        -d / determinant,
        a / determinant,
        (b * f - c * e) / determinant,
        (c * d - a * f) / determinant,
    ]


def scale_for(info: Info, resolution_m: float | None) -> float:
    """Return pixels of the scene to one of a chip: 1 where the resolutions are within 10 %.

    Raises:
        Invalid: more than eight times finer or coarser than the scene.
    """
    own = shapes.pixel_size_m(info)
    wanted = own if resolution_m is None else resolution_m
    ratio = wanted / own
    if abs(ratio - 1) <= SAME_RESOLUTION:
        return 1.0
    if not 1 / 8 <= ratio <= 8:
        raise Invalid(
            f"Chips at {wanted:g} m cannot be cut from imagery of {own:.3g} m.",
            fix=f"Use {own / 8:.3g} m to {own * 8:.3g} m.",
        )
    return max(1, round(ratio * ALIGN_PX)) / ALIGN_PX


def to_grid(labels: Iterable[Label], info: Info, scale: float) -> list[Label]:
    """Return the labels in grid pixels (x = col, y = row), empty ones left out."""
    matrix = inverse(info.transform, scale)
    moved = (
        Label(affinity.affine_transform(shapes.to_crs(label.geometry, LONLAT, info.crs_wkt), matrix), label.value)
        for label in labels
        if not label.geometry.is_empty
    )
    return [
        label if label.geometry.is_valid else Label(shapely.make_valid(label.geometry), label.value) for label in moved
    ]


def plan(info: Info, labels: Sequence[Label], cutting: Cutting, extent: BaseGeometry | None = None) -> Plan:
    """Return which chips are to be cut.

    Args:
        info: the scene.
        labels: in grid pixels (`to_grid`).
        cutting: how.
        extent: polygon in EPSG:4326 inside which every object is labelled; None: the bounds of the labels. What
            lies outside is neither background nor object.

    Raises:
        Invalid: the labels or the extent do not meet the scene.
    """
    scale = scale_for(info, cutting.resolution_m)
    whole = box(0, 0, info.width / scale, info.height / scale)
    if extent is None:
        if not labels:
            raise Invalid("There is no label to export.", fix="Label some objects first.")
        area: BaseGeometry = box(*shapely.total_bounds([label.geometry for label in labels]))
    else:
        area = to_grid([Label(extent, 0)], info, scale)[0].geometry
    area = area.intersection(whole)
    if area.area < ALIGN_PX:
        raise Invalid(
            "The labels or the extent do not lie on the imagery.", fix="Choose the imagery that was labelled."
        )
    return Plan(
        info=info,
        scale=scale,
        resolution_m=shapes.pixel_size_m(info) * scale,
        windows=tuple(windows(area, cutting)),
        extent=area,
    )


def windows(area: BaseGeometry, cutting: Cutting) -> list[Window]:
    """Return chips that cover the area (grid pixels), each with at least a tenth of itself on it."""
    # A hundredth of a pixel is what a change of CRS adds or takes.
    west, north = (math.floor(side + 0.01) for side in area.bounds[:2])
    east, south = (math.ceil(side - 0.01) for side in area.bounds[2:])
    size = cutting.chip_px
    found = []
    # A grid of at least one chip: a smaller area lies in the middle of it.
    height, width = south - north, east - west
    north -= max(0, size - height) // 2
    west -= max(0, size - width) // 2
    prepared = area
    shapely.prepare(prepared)
    for cell in grid(max(height, size), max(width, size), size, cutting.stride_px):
        window = Window(north + cell.row, west + cell.col, size, size)
        outline = box(window.col, window.row, window.col + size, window.row + size)
        if not prepared.intersects(outline):
            continue
        if prepared.contains(outline) or area.intersection(outline).area >= LEAST_USED * size * size:
            found.append(window)
    return found or [Window(north, west, size, size)]


class Cutter:
    """Cuts the chips of a plan; one per thread, since a reader belongs to its thread."""

    def __init__(self, reader: Raster, plan: Plan, labels: Sequence[Label], cutting: Cutting) -> None:
        self.reader = reader
        self.plan = plan
        self.cutting = cutting
        self.labels = labels
        self._tree = shapely.STRtree([label.geometry for label in labels])

    def cut(self, window: Window) -> Cut | None:
        """Return the chip at a window, or None where it has too little data, or no label and needs one."""
        size = self.cutting.chip_px
        bands = list(self.cutting.bands) if self.cutting.bands else None
        chip = self.reader.read(
            self.plan.source(window),
            bands=bands,
            out_shape=(size, size),
            resampling="average" if self.plan.scale > 1 else "bilinear",
        )
        # The window's own pixels: a chip is a crop of the grid.
        here = (1.0, 0.0, float(window.col), 0.0, 1.0, float(window.row))
        labelled = shapes.burn([(self.plan.extent, 1)], height=size, width=size, transform=here).astype(bool)
        if (chip.valid & labelled).mean() < LEAST_USED:
            return None
        outline = box(window.col, window.row, window.col + size, window.row + size)
        near = [self.labels[index] for index in sorted(self._tree.query(outline, predicate="intersects"))]
        classes = shapes.burn(
            ((label.geometry, label.value) for label in near),
            height=size,
            width=size,
            transform=here,
            dtype="uint8" if all(label.value < 256 for label in near) else "uint16",
        )
        boxes, values, areas = self._boxes(near, window, outline)
        if self.cutting.features_only and not classes.any() and not len(boxes):
            return None
        return Cut(chip.array, chip.valid, labelled, chip.transform, classes, boxes, values, areas)

    def _boxes(
        self, near: Sequence[Label], window: Window, outline: BaseGeometry
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
        boxes, values, areas = [], [], []
        for label in near:
            inside = label.geometry.intersection(outline)
            if inside.area <= 0 or inside.area < self.cutting.least_overlap * label.geometry.area:
                continue
            xmin, ymin, xmax, ymax = inside.bounds
            if min(xmax - xmin, ymax - ymin) < 1:
                continue
            boxes.append((xmin - window.col, ymin - window.row, xmax - window.col, ymax - window.row))
            values.append(label.value)
            areas.append(inside.area * self.plan.resolution_m**2)
        shape = (-1, 4)
        return (
            np.asarray(boxes, dtype=np.float64).reshape(shape),
            np.asarray(values, dtype=np.int64),
            np.asarray(areas, dtype=np.float64),
        )
