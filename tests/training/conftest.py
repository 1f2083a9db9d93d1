"""Small real training data: a corner of Banepa with its buildings, OSBS with its tree crowns."""

import json
from functools import cache
from pathlib import Path

import pytest
import torch
from shapely.geometry import box, shape

from training.chips import Cutting, Label
from training.export import Order, export
from training.formats import ClassName, Folder
from webapp.raster import read
from webapp.raster.shapes import to_crs

BUILDING = ClassName(7, "Building", "#d95f02")
TREE = ClassName(1, "Tree", "#1b9e77")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@cache
def labels_of(path: Path, value: int, within: object = None) -> list[Label]:
    """Return the polygons of a GeoJSON file as labels."""
    content = json.loads(path.read_text())
    name = content.get("crs", {}).get("properties", {}).get("name", "EPSG:4326")
    epsg = 4326 if "CRS84" in name else int(name.split(":")[-1])
    shapes = [to_crs(shape(feature["geometry"]), epsg, 4326) for feature in content["features"]]
    return [Label(found, value) for found in shapes if within is None or found.intersects(within)]


@cache
def corner(path: Path, rows: int, cols: int) -> object:
    """Return the top left corner of a raster as a polygon in EPSG:4326."""
    info = read.info(path)
    a, _, c, _, e, f = info.transform
    return to_crs(box(c, f + e * rows, c + a * cols, f), info.crs_wkt, 4326)


@pytest.fixture(scope="session")
def buildings(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """12 chips of 128 px at 0.3 m over buildings, as Classified_Tiles."""
    scene = data / "banepa" / "banepa_train.tif"
    area = corner(scene, 876, 1168)
    order = Order(
        imagery=scene,
        labels=labels_of(data / "banepa" / "banepa_buildings_osm.geojson", 7, area),
        classes=(BUILDING,),
        format="Classified_Tiles",
        cutting=Cutting(chip_px=128, stride_px=128, resolution_m=0.3),
        extent=area,  # type: ignore[arg-type]
        validation=0.25,
    )
    return export(order, tmp_path_factory.mktemp("buildings"), threads=2)


@pytest.fixture(scope="session")
def trees(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Overlapping chips of 128 px over tree crowns, as PASCAL_VOC_rectangles."""
    scene = data / "neon_trees" / "OSBS_029.tif"
    order = Order(
        imagery=scene,
        labels=labels_of(data / "neon_trees" / "OSBS_029_tree_boxes.geojson", 1),
        classes=(TREE,),
        format="PASCAL_VOC_rectangles",
        cutting=Cutting(chip_px=128, stride_px=64),
        validation=0.25,
    )
    return export(order, tmp_path_factory.mktemp("trees"), threads=2)
