"""Real labels in every format: exported, imported again, and read by programs that are not ours."""

import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas
import pytest
import shapely
from django.test import Client
from shapely.geometry.base import BaseGeometry

from labeling.files_api import grid_of
from labeling.models import LabelSet
from labeling.services import create_label_set
from tests.factories import client_for, make_imagery, make_project, make_user
from tests.features.test_files import bring, look, take
from tests.vectors.foreign import NAMES, READERS, Case, Read, Truth
from webapp.features import jobs as feature_jobs
from webapp.features.models import Feature
from webapp.features.services import NewFeature, add_features
from webapp.vectors import child
from webapp.vectors.formats import FORMATS
from webapp.vectors.table import Grid

COUNT = 300
CLASSES = [(value, name, f"#{value:02x}9e77") for value, name in enumerate(NAMES, start=1)]
# 1e-9 degrees are a tenth of a millimetre: what KML's text keeps. Pixels of the image are 0.13 m.
KML_DEGREES, PIXELS = 1e-9, 1e-4
HEAD = f"{'format':<11}{'foreign reader':<34}{'read':>5}{'back':>6}{'min IoU':>9}{'fields':>8}  left out"


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


def turned(shape: BaseGeometry, grid: Grid) -> BaseGeometry:
    around = shapely.minimum_rotated_rectangle(shape)
    return around if shapely.box(0, 0, grid.width, grid.height).covers(around) else shapely.envelope(shape)


def upright(shape: BaseGeometry, grid: Grid) -> BaseGeometry:
    return shapely.envelope(shape)


def itself(shape: BaseGeometry, grid: Grid) -> BaseGeometry:
    return shape


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
