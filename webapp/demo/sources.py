"""The demo's pictures and labels: real NEON imagery with tree crowns, from the data folder of the package `deepforest`.

The package is located but never imported: its own dependencies are not installed.
"""

import importlib.util
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry

from webapp.errors import Unavailable
from webapp.raster.shapes import to_crs

ATTRIBUTION = (
    "National Ecological Observatory Network (NEON), RGB camera imagery; "
    "annotations: DeepForest (Weinstein et al.), MIT"
)
# NEON names its 1 km mosaic tiles by their south-west corner and delivers them at this size of a pixel.
NEON_PIXEL_M = 0.1


@dataclass(frozen=True)
class Scene:
    """One picture with its labels.

    Attributes:
        key: stable name, part of identifiers.
        name: for people.
        picture, boxes: file names in the data folder; boxes in Pascal VOC.
        epsg, west, north: CRS and upper left corner of the picture; its pixels are `NEON_PIXEL_M` wide.
        note: for a picture without georeference, what is known of its place and what is assumed.
    """

    key: str
    name: str
    picture: str
    boxes: str
    epsg: int
    west: float
    north: float
    note: str = ""


def _neon(key: str, name: str, stem: str, *, east: int, south: int, height: int) -> Scene:
    """Return a crop of a NEON tile: the tile is known from the file's name, the place within it is not."""
    note = (
        f"The picture is a crop of NEON's 1 km tile {east} E {south} N (UTM zone 12 N). Where in the tile it was cut "
        "is not recorded; it is placed at the tile's south-west corner, about a kilometre from its true place at most."
    )
    north = south + height * NEON_PIXEL_M
    return Scene(key, name, f"{stem}.png", f"{stem}.xml", 32612, float(east), north, note)


EDGE = _neon(
    "yellowstone-a",
    "Yellowstone, forest edge",
    "2019_YELL_2_528000_4978000_image_crop2",
    east=528_000,
    south=4_978_000,
    height=2472,
)
FOREST = _neon(
    "yellowstone-b",
    "Yellowstone, road through forest",
    "2019_YELL_2_541000_4977000_image_crop",
    east=541_000,
    south=4_977_000,
    height=1035,
)
# OSBS_029.tif says itself where it lies; corner and CRS are repeated here for its labels.
FLORIDA = Scene(
    "florida",
    "Florida, Ordway-Swisher",
    "OSBS_029.tif",
    "OSBS_029.xml",
    32617,
    404_211.9,
    3_285_142.9,
)
SCENES = (EDGE, FOREST, FLORIDA)


def folder() -> Path:
    """Return the data folder of the installed package.

    Raises:
        Unavailable: the package is not installed.
    """
    found = importlib.util.find_spec("deepforest")
    if found is None or not found.submodule_search_locations:
        raise Unavailable(
            "The package deepforest, which brings the demo's pictures, is not installed.",
            fix="Install the packages of requirements.txt, for example with `make run`.",
        )
    return Path(found.submodule_search_locations[0]) / "data"


def size(scene: Scene) -> tuple[int, int]:
    """Return (height, width) of the picture in pixels, as its label file says."""
    node = ElementTree.parse(folder() / scene.boxes).getroot().find("size")
    assert node is not None
    return int(node.findtext("height", "0")), int(node.findtext("width", "0"))


def bounds(scene: Scene) -> tuple[float, float, float, float]:
    """Return (west, south, east, north) of the picture in the scene's CRS."""
    height, width = size(scene)
    return (scene.west, scene.north - height * NEON_PIXEL_M, scene.west + width * NEON_PIXEL_M, scene.north)


def crowns(scene: Scene) -> list[BaseGeometry]:
    """Return the labelled tree crowns as boxes in EPSG:4326 (corners transformed, so nearly rectangular).

    Boxes without an inside, of which the source has a few, are left out.
    """
    found: list[BaseGeometry] = []
    for node in ElementTree.parse(folder() / scene.boxes).getroot().iter("bndbox"):
        left, top, right, bottom = (float(node.findtext(name, "0")) for name in ("xmin", "ymin", "xmax", "ymax"))
        if right <= left or bottom <= top:
            continue
        box = shapely.box(
            scene.west + left * NEON_PIXEL_M,
            scene.north - bottom * NEON_PIXEL_M,
            scene.west + right * NEON_PIXEL_M,
            scene.north - top * NEON_PIXEL_M,
        )
        found.append(to_crs(box, scene.epsg, 4326))
    return found
