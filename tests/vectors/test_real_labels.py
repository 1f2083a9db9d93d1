"""Real labels in every format: exported, imported again, and read by programs that are not ours."""

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas
import pystac
import pytest
import rasterio
import rasterio.features
import shapely
from django.test import Client
from PIL import Image
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO
from shapely.geometry.base import BaseGeometry

from labeling.files_api import grid_of
from labeling.models import LabelSet
from labeling.services import create_label_set
from tests.factories import client_for, make_imagery, make_project, make_user
from tests.features.test_files import bring, look, take
from webapp.features import jobs as feature_jobs
from webapp.features.models import Feature
from webapp.features.services import NewFeature, add_features
from webapp.vectors import child
from webapp.vectors.formats import FORMATS
from webapp.vectors.table import Grid

COUNT = 300
NAMES = ["concrete", "tin", "clay_tiles", "metal", "not known"]
CLASSES = [(value, name, f"#{value:02x}9e77") for value, name in enumerate(NAMES, start=1)]
# 1e-9 degrees are a tenth of a millimetre: what KML's text keeps. Pixels of the image are 0.13 m.
KML_DEGREES, PIXELS = 1e-9, 1e-4
HEAD = f"{'format':<11}{'foreign reader':<34}{'read':>5}{'back':>6}{'min IoU':>9}{'fields':>8}  left out"


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


@pytest.fixture(autouse=True)
def without_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs of the sandbox run in this process: the sandbox itself is tested elsewhere, and takes seconds."""

    def run(command: str, request: dict[str, Any], *, source: Path, out: Path, **_: Any) -> dict[str, Any]:
        told: dict[str, Any] = child.COMMANDS[command](request | {"input": str(source), "out": str(out)})
        return told

    monkeypatch.setattr(feature_jobs.sandbox, "run", run)


@pytest.fixture
def scene(data: Path) -> Path:
    return data / "banepa" / "banepa_train.tif"


@pytest.fixture
def label_set(db: None, scene: Path) -> LabelSet:
    project = make_project(make_user("ana"), labeler=make_user("ben"))
    imagery = make_imagery(project, scene, acquired_at=datetime(2023, 4, 5, 6, 7, 8, tzinfo=UTC))
    return create_label_set(project=project, name="Banepa roofs", imagery=imagery, classes=CLASSES, user=None)


@pytest.fixture
def ben(label_set: LabelSet) -> Client:
    return client_for(make_user("ben"))


def buildings(scene: Path, grid: Grid) -> Iterator[Truth]:
    """Yield the buildings that lie wholly on the scene and touch no other."""
    frame = shapely.box(0, 0, grid.width, grid.height)
    items = json.loads(scene.with_name("banepa_buildings_osm.geojson").read_text())["features"]
    shapes = [shapely.geometry.shape(item["geometry"]) for item in items]
    tree = shapely.STRtree(shapes)
    for item, shape in zip(items, shapes, strict=True):
        pixels = grid.to_pixels(shape)
        alone = len(tree.query(shape, predicate="intersects")) == 1
        if not (shape.is_valid and alone and frame.contains(pixels)):
            continue
        # `source` is a word of our own in files: whoever imports these gives the field another name.
        fields = {"osm_source" if name == "source" else name: value for name, value in item["properties"].items()}
        fields = {name: value for name, value in fields.items() if value is not None}
        name = fields.get("roof:material")
        yield Truth(shape, pixels, name if name in NAMES else NAMES[-1], fields)


def labelled(label_set: LabelSet, scene: Path, grid: Grid, count: int = COUNT) -> list[Truth]:
    truth = [building for building, _ in zip(buildings(scene, grid), range(count), strict=False)]
    features = [
        NewFeature(one.shape, NAMES.index(one.name) + 1, source="human", verified=True, properties=one.fields)
        for one in truth
    ]
    add_features(layer=label_set.layer, features=features)
    return truth


def overlap(one: BaseGeometry, other: BaseGeometry) -> float:
    return float(one.intersection(other).area / one.union(other).area)


# --- foreign readers: each returns (name of its class, shape, fields or None) as it found them ---------------------

Read = list[tuple[str, BaseGeometry, dict[str, Any] | None]]


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


def turned(shape: BaseGeometry, grid: Grid) -> BaseGeometry:
    around = shapely.minimum_rotated_rectangle(shape)
    return around if shapely.box(0, 0, grid.width, grid.height).covers(around) else shapely.envelope(shape)


def upright(shape: BaseGeometry, grid: Grid) -> BaseGeometry:
    return shapely.envelope(shape)


def itself(shape: BaseGeometry, grid: Grid) -> BaseGeometry:
    return shape


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
# What of an outline a format can hold, in pixels, and the least IoU with that.
HELD: dict[str, tuple[Callable[[BaseGeometry, Grid], BaseGeometry], float]] = {
    "yolo": (upright, 1 - 1e-6),
    # Four corners within a thousandth of their turned box are written as they are.
    "yolo-obb": (turned, 0.999),
    # Boxes of whole pixels.
    "voc": (upright, 0.9),
}


def compared(found: Read, case: Case, form: str) -> tuple[float, int]:
    """Return the least IoU and how many fields came along, of rows whose shapes are in pixels."""
    if form == "raster":
        # Buildings less than a pixel apart are one there: each class is compared as a whole.
        ious = [
            overlap(_union(found, name), shapely.union_all([one.pixels for one in case.truth if one.name == name]))
            for name in {one.name for one in case.truth}
        ]
        assert min(ious) > 0.95
        return min(ious), 0
    held, least = HELD.get(form, (itself, 1 - 1e-6))
    assert len(found) == len(case.truth)
    tree = shapely.STRtree([shape for _, shape, _ in found])
    ious, fields, taken = [], 0, set()
    for one in case.truth:
        wanted = held(one.pixels, case.grid)
        near = tree.query(wanted)
        best = max(near, key=lambda number: overlap(found[number][1], wanted))
        taken.add(int(best))
        name, shape, told = found[best]
        assert name == one.name
        ious.append(overlap(shape, wanted))
        if form not in HELD:
            assert shapely.hausdorff_distance(shape, wanted) < PIXELS
        if told is not None:
            kept = {key: told.get(key) for key in one.fields}
            assert kept == one.fields or (form == "csv" and _untyped(kept) == _untyped(one.fields))
            fields += len(one.fields)
    assert len(taken) == len(case.truth)
    assert min(ious) >= least
    return min(ious), fields


def _untyped(fields: dict[str, Any]) -> dict[str, str]:
    """Return fields as a CSV holds them, without types: the text "4" and the number 4.0 are the same."""
    numbers = {key: pandas.to_numeric(value, errors="coerce") for key, value in fields.items()}
    return {key: str(value) if pandas.isna(numbers[key]) else str(float(numbers[key])) for key, value in fields.items()}


def _union(found: Read, wanted: str) -> BaseGeometry:
    return shapely.union_all([shape for name, shape, _ in found if name == wanted])


def test_every_format_has_a_foreign_reader() -> None:
    assert set(READERS) == set(FORMATS)


@pytest.mark.parametrize("form", FORMATS)
def test_real_labels_come_back_and_others_read_them(
    form: str,
    ben: Client,
    label_set: LabelSet,
    scene: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    grid = grid_of(label_set.imagery)
    truth = labelled(label_set, scene, grid)
    assert len(truth) == COUNT
    job, content = take(ben, label_set, format=form)
    assert job.result["count"] == COUNT
    path = tmp_path / job.result["filename"]
    path.write_bytes(content)
    case = Case(path, tmp_path / "foreign", truth, grid, scene)
    title, reader = READERS[form]
    there = reader(case)
    if not FORMATS[form].pixels:
        exact = KML_DEGREES if form == "kml" else 0.0
        wanted = {str(one.fields["osm_id"]): one for one in truth}
        for _, shape, told in there:
            assert told is not None
            assert shape.normalize().equals_exact(wanted[str(told["osm_id"])].shape.normalize(), exact)
        there = [(name, grid.to_pixels(shape), told) for name, shape, told in there]
    compared(there, case, form)

    empty = create_label_set(
        project=label_set.project, name="Empty", imagery=label_set.imagery, classes=CLASSES, user=None
    )
    seen = look(ben, empty, path.name, content)
    # A CSV names no CRS: people say that the assumed one is right.
    done = bring(
        ben, empty, seen, tables=[0], **({"crs": seen.result["tables"][0]["crs"]["id"]} if form == "csv" else {})
    )
    assert (done.result["added"], done.result["skipped"]) == (len(there), {}), done.error_message
    back: Read = [
        (
            NAMES[(row.class_value or 0) - 1],
            grid.to_pixels(shapely.from_wkb(bytes(row.geometry.wkb))),
            {"name" if key == "name_2" else key: value for key, value in row.properties.items()}
            if not FORMATS[form].pixels or form == "coco"
            else None,
        )
        for row in Feature.objects.filter(layer=empty.layer)
    ]
    iou, fields = compared(back, case, form)
    line = f"{form:<11}{title:<34}{len(there):>5}{len(back):>6}{iou:>9.4f}{fields:>8}  "
    lost = "; ".join(f"{what}: {times}" for what, times in job.result["lost"].items())
    record_property("table", f"{HEAD}\n{line}{lost or '-'}")


def test_files_tell_the_imagery_its_date_and_its_offset(ben: Client, label_set: LabelSet, scene: Path) -> None:
    labelled(label_set, scene, grid_of(label_set.imagery), 3)
    url = f"/api/label-sets/{label_set.pk}/offsets"
    moved = {"imagery": str(label_set.imagery_id), "east_m": 1.5, "north_m": -2.25, "note": "by GCP 7", "version": 0}
    answer = client_for(make_user("ana")).put(url, moved | {"samples": "stay"}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    offset = {"east_m": 1.5, "north_m": -2.25, "note": "by GCP 7"}
    geojson = json.loads(take(ben, label_set, format="geojson")[1])
    assert (geojson["imagery"], geojson["imagery_offset"]) == (label_set.imagery.name, offset)
    coco_file = json.loads(take(ben, label_set, format="coco")[1])
    assert coco_file["info"]["imagery_offset"] == offset
    assert coco_file["images"][0]["date_captured"].startswith("2023-04-05T06:07:08")
    assert _member(take(ben, label_set, format="stac"), "item.json")["properties"]["imagery_offset"] == offset
    for form in ("shapefile", "yolo", "yolo-obb", "yolo-seg", "voc"):
        text = _member(take(ben, label_set, format=form), "README.md")
        assert "2023-04-05" in text
        assert "1.5 m east, -2.25 m north of where the imagery's file says (by GCP 7)" in text


def _member(taken: tuple[Any, bytes], name: str) -> Any:
    from io import BytesIO

    with zipfile.ZipFile(BytesIO(taken[1])) as archive:
        text = archive.read(name).decode()
    return json.loads(text) if name.endswith(".json") else text
