"""Programs that are not ours, each reading one of our files of labels into the pixels of the scene."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas
import pystac
import rasterio
import rasterio.features
import shapely
from PIL import Image
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO
from shapely.geometry.base import BaseGeometry

from webapp.vectors.table import Grid

NAMES = ["concrete", "tin", "clay_tiles", "metal", "not known"]
# The name of its class, its shape in pixels, and its fields where the format has them.
Read = list[tuple[str, BaseGeometry, dict[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class Truth:
    """One building of OpenStreetMap; geometry in EPSG:4326 and in pixels of the scene."""

    shape: BaseGeometry
    pixels: BaseGeometry
    name: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """What a foreign reader gets: the file, a folder of its own, what it should find and the image's pixels."""

    path: Path
    folder: Path
    truth: list[Truth]
    grid: Grid
    scene: Path

    def unpacked(self) -> Path:
        with zipfile.ZipFile(self.path) as archive:
            archive.extractall(self.folder)
        return self.folder


def frame_rows(frame: Any, names: dict[str, str] | None = None) -> Read:
    """Return the rows of a frame; `names` are columns that the format had to shorten."""
    assert frame.crs.equals("EPSG:4326", ignore_axis_order=True)
    rows = frame.rename(columns=names or {}).drop(columns="geometry").to_dict("records")
    told = [{name: value for name, value in row.items() if not pandas.isna(value)} for row in rows]
    return [(row["class_name"], shape, row) for row, shape in zip(told, frame.geometry, strict=True)]


def with_geopandas(case: Case) -> Read:
    # KML has a name of its own: the job's report says so.
    names = {"name_2": "name"} if case.path.suffix == ".kml" else {}
    return frame_rows(geopandas.read_file(case.path, engine="pyogrio"), names)


def shapefile(case: Case) -> Read:
    with zipfile.ZipFile(case.path) as archive:
        full = json.loads(archive.read("fields.json"))
    # The zip as it is.
    return frame_rows(geopandas.read_file(f"/vsizip/{case.path}", engine="pyogrio"), full)


def parquet(case: Case) -> Read:
    return frame_rows(geopandas.read_parquet(case.path))


def csv(case: Case) -> Read:
    table = pandas.read_csv(case.path, dtype=str)
    # An apostrophe guards what a spreadsheet would run.
    table = table.apply(lambda column: column.str.removeprefix("'"))
    return frame_rows(geopandas.GeoDataFrame(table.drop(columns="wkt"), geometry=shapely.from_wkt(table.wkt), crs=4326))


def stac(case: Case) -> Read:
    item = pystac.Item.from_file(str(case.unpacked() / "item.json"))
    assert item.properties["label:classes"] == [{"name": "class_name", "classes": NAMES}]
    counts = item.properties["label:overviews"][0]["counts"]
    assert sum(entry["count"] for entry in counts) == len(case.truth)
    href = item.assets["labels"].get_absolute_href()
    assert href is not None
    return frame_rows(geopandas.read_file(href, engine="pyogrio"))


def coco(case: Case) -> Read:
    found = COCO(str(case.path))
    (image,) = found.loadImgs(found.getImgIds())
    assert (image["height"], image["width"]) == (case.grid.height, case.grid.width)
    rows: Read = []
    for item in found.loadAnns(found.getAnnIds()):
        (corners,) = item["segmentation"]
        shape = shapely.Polygon(np.reshape(corners, (-1, 2)))
        # A pixel counts or does not: along the outline that is at most half a pixel either way.
        assert abs(coco_masks.area(found.annToRLE(item)) - shape.area) <= shape.length / 2 + 2
        rows.append((found.cats[item["category_id"]]["name"], shape, item["attributes"]))
    first = found.annToMask(found.anns[1])
    drawn = rasterio.features.rasterize([case.truth[0].pixels], first.shape)
    assert (first & drawn).sum() / (first | drawn).sum() > 0.95
    return rows


def yolo(case: Case) -> Read:
    """Read as Ultralytics documents it: a class and numbers from 0 to 1 of the image's size a line."""
    folder = case.unpacked()
    names = [line.partition(": ")[2].strip("'") for line in (folder / "data.yaml").read_text().splitlines()[1:]]
    rows: Read = []
    for line in (folder / f"{case.grid.stem}.txt").read_text().splitlines():
        number, *values = line.split()
        numbers = np.array(values, float)
        assert ((numbers >= 0) & (numbers <= 1)).all()
        corners = numbers.reshape(-1, 2) * (case.grid.width, case.grid.height)
        if len(numbers) == 4:
            (x, y), (width, height) = corners
            corners = np.array(
                shapely.box(x - width / 2, y - height / 2, x + width / 2, y + height / 2).exterior.coords
            )
        rows.append((names[int(number)], shapely.Polygon(corners), None))
    return rows


def voc(case: Case) -> Read:
    from torchvision.datasets import VOCDetection

    folder = case.unpacked()
    image = folder / "VOCdevkit" / "VOC2012" / "JPEGImages" / f"{case.grid.stem}.jpg"
    image.parent.mkdir()
    with rasterio.open(case.scene) as raster:
        Image.fromarray(np.moveaxis(raster.read((1, 2, 3)), 0, -1)).save(image)
    ((picture, target),) = list(VOCDetection(str(folder), year="2012", image_set="trainval"))
    annotation = target["annotation"]
    assert picture.size == (int(annotation["size"]["width"]), int(annotation["size"]["height"]))
    assert annotation["filename"] == image.name
    rows: Read = []
    for item in annotation["object"]:
        left, top, right, bottom = (int(item["bndbox"][side]) for side in ("xmin", "ymin", "xmax", "ymax"))
        rows.append((item["name"], shapely.box(left - 1, top - 1, right, bottom), None))
    return rows


def raster(case: Case) -> Read:
    with rasterio.open(case.path) as dataset:
        values, tags = dataset.read(1), dataset.tags()
        assert dataset.transform.almost_equals(rasterio.Affine(*case.grid.transform))
    wanted = rasterio.features.rasterize([(one.pixels, NAMES.index(one.name) + 1) for one in case.truth], values.shape)
    assert (values == wanted).mean() > 0.9999
    found = rasterio.features.shapes(values, mask=values > 0, connectivity=4)
    return [(tags[f"CLASS_{int(value)}"], shapely.geometry.shape(shape), None) for shape, value in found]


READERS: dict[str, tuple[str, Callable[[Case], Read]]] = {
    "geojson": ("geopandas (pyogrio)", with_geopandas),
    "gpkg": ("geopandas (pyogrio)", with_geopandas),
    "shapefile": ("geopandas (pyogrio), the zip", shapefile),
    "flatgeobuf": ("geopandas (pyogrio)", with_geopandas),
    "geoparquet": ("geopandas.read_parquet", parquet),
    "kml": ("geopandas (pyogrio)", with_geopandas),
    "csv": ("pandas, shapely", csv),
    "stac": ("pystac, geopandas", stac),
    "coco": ("pycocotools", coco),
    "yolo": ("its documented rules", yolo),
    "yolo-obb": ("its documented rules", yolo),
    "yolo-seg": ("its documented rules", yolo),
    "voc": ("torchvision.datasets.VOCDetection", voc),
    "raster": ("rasterio", raster),
}
