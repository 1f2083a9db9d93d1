"""The grid on which scenes are read as one, and whether they fit together."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from affine import Affine
from pyproj import Transformer

from webapp.errors import Invalid
from webapp.raster.canvas import MERCATOR, between, crs_of
from webapp.raster.mosaic.document import Box, Member, Mosaic, Rule
from webapp.raster.read import Transform

# Types that the mosaic's own pixels may have; what does not fit into a smaller one is float32.
DTYPES = ("uint8", "uint16", "int16", "float32")
# A transverse Mercator zone is used this far around; wider mosaics of several CRS are read in Web Mercator.
WIDEST_DEGREES = 12.0
# Points on each side of a box whose CRS changes, since straight lines become curves.
EDGE_POINTS = 21
# How far a raster's edge may lie from the grid's for rounding, in pixels.
ROUNDING_PX = 1e-6
# A name that a file gave no band.
_NAMELESS = re.compile(r"band[ _-]?[0-9]+|b[0-9]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to know about a scene that goes into a mosaic.

    Attributes:
        key: id of its layer.
        name: what people call it, for messages.
        path: of its analysis file, relative to the folder of all files.
        display: of its display file where that looks as the mosaic does; else empty.
        transform: affine a, b, c, d, e, f from pixel (col, row) to the CRS.
        bands: their names.
    """

    key: str
    name: str
    path: str
    display: str
    crs_wkt: str
    epsg: int | None
    transform: Transform
    height: int
    width: int
    dtype: str
    bands: tuple[str, ...]


def plan(scenes: Sequence[Scene], rule: Rule) -> Mosaic:
    """Return the mosaic of scenes, the first on top.

    Its CRS is the one that most of them have; where they have several and lie far apart, Web Mercator. Its pixels
    are those of the finest scene, on that scene's own grid where it has this CRS.

    Raises:
        Invalid: a scene without CRS, or one whose bands are not those of the first; the message names it.
    """
    for scene in scenes:
        _check(scene, scenes[0])
    boxes = [_degrees(scene) for scene in scenes]
    first = _crs_scene(scenes, boxes)
    crs_wkt, epsg = (first.crs_wkt, first.epsg) if first else (crs_of(MERCATOR).to_wkt(), 3857)
    own = [_box_in(scene, crs_wkt) for scene in scenes]
    if crs_of(crs_wkt).is_geographic:
        own = [_near(box, own[0]) for box in own]
    across, down, corner = _pixel(scenes, own, crs_wkt)
    west, south = min(box[0] for box in own), min(box[1] for box in own)
    east, north = max(box[2] for box in own), max(box[3] for box in own)
    left = corner[0] + across * math.floor((west - corner[0]) / across + ROUNDING_PX)
    top = corner[1] - down * math.floor((corner[1] - north) / down + ROUNDING_PX)
    members = tuple(
        Member(
            scene.key,
            scene.path,
            scene.display,
            ((box[0] - left) / across, (top - box[3]) / down, (box[2] - left) / across, (top - box[1]) / down),
            degrees,
        )
        for scene, box, degrees in zip(scenes, own, boxes, strict=True)
    )
    return Mosaic(
        rule=rule,
        crs_wkt=crs_wkt,
        epsg=epsg,
        transform=(across, 0.0, left, 0.0, -down, top),
        height=max(1, math.ceil((top - south) / down - ROUNDING_PX)),
        width=max(1, math.ceil((east - left) / across - ROUNDING_PX)),
        dtype=_dtype([scene.dtype for scene in scenes]),
        bands=_band_names(scenes),
        members=members,
    )


def _check(scene: Scene, first: Scene) -> None:
    if not scene.crs_wkt:
        raise Invalid(
            f"'{scene.name}' has no CRS.", fix="Leave it out, or ingest it with a position.", code="crs_missing"
        )
    same = len(scene.bands) == len(first.bands) and all(
        one.casefold() == other.casefold() or _NAMELESS.fullmatch(one) or _NAMELESS.fullmatch(other)
        for one, other in zip(scene.bands, first.bands, strict=True)
    )
    if not same:
        raise Invalid(
            f"'{scene.name}' has the bands {', '.join(scene.bands)}, but '{first.name}' has {', '.join(first.bands)}.",
            fix=f"Leave '{scene.name}' out, or choose scenes with the same bands in the same order.",
            code="bands_differ",
            details={"scene": scene.key, "bands": list(scene.bands), "expected": list(first.bands)},
        )


def _band_names(scenes: Sequence[Scene]) -> tuple[str, ...]:
    """Return each band's name, from the first scene that names it."""
    columns = zip(*(scene.bands for scene in scenes), strict=True)
    return tuple(next((name for name in names if not _NAMELESS.fullmatch(name)), names[0]) for names in columns)


def _dtype(dtypes: Sequence[str]) -> str:
    joined = np.result_type(*(np.dtype(dtype) for dtype in dtypes)).name
    return joined if joined in DTYPES else "float32"


def _degrees(scene: Scene) -> Box:
    """Return (west, south, east, north), east beyond 180 where the scene crosses the antimeridian."""
    box = _own_box(scene)
    if crs_of(scene.crs_wkt).is_geographic:
        west, south, east, north = box
    else:
        way = Transformer.from_crs(crs_of(scene.crs_wkt), crs_of("CRS:84"), always_xy=True)
        west, south, east, north = way.transform_bounds(*box, densify_pts=EDGE_POINTS)
    if not all(math.isfinite(value) for value in (west, south, east, north)):
        return -180.0, -90.0, 180.0, 90.0
    turn = 360.0 * math.floor((west + 180.0) / 360.0)
    west, east = west - turn, east - turn
    return west, south, east + 360.0 if east < west else east, north


def _own_box(scene: Scene) -> Box:
    affine = Affine(*scene.transform)
    corners = [affine @ corner for corner in ((0, 0), (scene.width, 0), (0, scene.height), (scene.width, scene.height))]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _crs_scene(scenes: Sequence[Scene], boxes: Sequence[Box]) -> Scene | None:
    """Return a scene with the mosaic's CRS; None: none of theirs reaches all."""
    counts = Counter(scene.crs_wkt for scene in scenes)
    most = max(counts.values())
    chosen = next(scene for scene in scenes if counts[scene.crs_wkt] == most)
    if all(between(scene.crs_wkt, chosen.crs_wkt) is None for scene in scenes):
        return chosen
    middles = [(box[0] + box[2]) / 2 for box in boxes]
    # Counted from the first scene on, so that the antimeridian is no wall.
    offsets = [(middle - middles[0] + 180.0) % 360.0 - 180.0 for middle in middles]
    wide = max(offsets) - min(offsets) > WIDEST_DEGREES
    return None if wide else chosen


def _box_in(scene: Scene, crs_wkt: str) -> Box:
    box = _own_box(scene)
    way = between(scene.crs_wkt, crs_wkt)
    if way is None:
        return box
    west, south, east, north = way.transform_bounds(*box, densify_pts=EDGE_POINTS)
    if crs_of(crs_wkt).is_geographic and east < west:
        east += 360.0
    if not all(math.isfinite(value) for value in (west, south, east, north)):
        raise Invalid(
            f"'{scene.name}' lies where the CRS of the other scenes does not reach.",
            fix=f"Leave '{scene.name}' out.",
            code="crs_unfit",
            details={"scene": scene.key},
        )
    return west, south, east, north


def _near(box: Box, first: Box) -> Box:
    """Return a box in degrees, counted on beyond 180 where that is nearer to the first one."""
    turn = 360.0 * round(((first[0] + first[2]) - (box[0] + box[2])) / 720.0)
    return box[0] + turn, box[1], box[2] + turn, box[3]


def _pixel(scenes: Sequence[Scene], own: Sequence[Box], crs_wkt: str) -> tuple[float, float, tuple[float, float]]:
    """Return width and height of a pixel in the CRS, and (x, y) of any corner of pixels."""
    found: list[tuple[float, float, float, tuple[float, float]]] = []
    for scene, box in zip(scenes, own, strict=True):
        a, b, c, d, e, f = scene.transform
        if between(scene.crs_wkt, crs_wkt) is None and b == 0 and d == 0:
            shift = 360.0 * round((box[0] - c) / 360.0) if crs_of(crs_wkt).is_geographic else 0.0
            found.append((math.sqrt(abs(a * e)), abs(a), abs(e), (c + shift, f)))
        else:
            # The scene's area there, shared among its pixels.
            side = math.sqrt((box[2] - box[0]) * (box[3] - box[1]) / (scene.height * scene.width))
            found.append((side, side, side, (box[0], box[3])))
    finest = min(side for side, *_ in found)
    # Scenes of one sensor differ in the last digits only: the first of the finest gives the grid.
    return next((across, down, corner) for side, across, down, corner in found if side <= finest * (1 + 1e-6))
