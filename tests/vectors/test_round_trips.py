"""Every format written and read back: equal where it can hold everything, else equal in what it holds."""

import csv
import json
import math
import shutil
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pyogrio
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from webapp.errors import BadVectors, Invalid
from webapp.vectors import csv_wkt, geojson_rows, sources, yolo
from webapp.vectors.formats import FORMATS
from webapp.vectors.table import LONLAT, Grid, Label, Row, Sample, Task, moved

GRID = Grid("Scene Ä 1", 256, 320, (0.5, 0.0, 353_000.0, 0.0, -0.5, 3_057_000.0), "EPSG:32645")
CLASSES = [Label(1, "Tree", "#1b9e77"), Label(2, "it's, a roof", "#d95f02")]
FIELDS = {"height": 3.25, "note": "=é\t\"1\"", "storeys": 7, "kept": True, "a long name of a field": "x"}  # fmt: skip


def on_ground(pixels: BaseGeometry) -> BaseGeometry:
    return moved(GRID.to_ground(pixels), GRID.crs, LONLAT)


BOX = shapely.box(10, 20, 50, 60)
TURNED = affinity.rotate(shapely.box(200, 100, 260, 130), 30)
HOLED = shapely.box(100, 100, 180, 180).difference(shapely.box(120, 120, 140, 140))
PARTS = shapely.MultiPolygon([shapely.box(10, 100, 30, 120), shapely.box(40, 100, 50, 140)])


def areas() -> list[Sample]:
    return [
        Sample(1, on_ground(BOX), 1, "Tree", 0.5, "human", True, FIELDS),
        Sample(2, on_ground(TURNED), 2, "it's, a roof", None, "model", False, {"storeys": -2}),
    ]


def everything() -> list[Sample]:
    return [
        *areas(),
        Sample(3, on_ground(HOLED), 2, "it's, a roof", None, "import", True, {}),
        Sample(4, on_ground(PARTS), 1, "Tree", None, "human", True, {}),
        Sample(5, on_ground(shapely.Point(5.5, 5.5)), 1, "Tree", None, "human", True, {}),
        Sample(6, on_ground(shapely.LineString([(1, 1), (9, 30)])), None, None, None, "human", True, {}),
    ]


def written(form: str, folder: Path, samples: list[Sample], **values: Any) -> tuple[Path, dict[str, int]]:
    folder.mkdir(exist_ok=True)
    task = Task("Lärm set", lambda: iter(samples), CLASSES, folder, **({"grid": GRID} | values))
    module, _, name = FORMATS[form].writer.partition(":")
    path: Path = getattr(import_module(module), name)(task)
    assert [item.name for item in folder.iterdir()] == [path.name]
    return path, {what: times for what, times in task.lost.items() if times}


def read(path: Path, grid: Grid | None = GRID) -> list[Row]:
    """Return the rows of all tables in longitude and latitude."""
    folder = path.parent / "read"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # As in quarantine: the name says nothing.
    bare = folder / "upload"
    shutil.copyfile(path, bare)
    found = sources.open_file(bare, name=path.name, folder=folder, grid=grid)
    rows = [(row, table.crs or LONLAT) for table in found.tables for row in table.rows()]
    return [Row(row.geometry and moved(row.geometry, crs, LONLAT), row.properties) for row, crs in rows]


def same(pixels: BaseGeometry, wanted: BaseGeometry) -> bool:
    """Return whether two outlines are within a ten thousandth of a pixel: what UTM and back costs."""
    corners = shapely.get_num_coordinates(pixels) == shapely.get_num_coordinates(wanted)
    return bool(corners and pixels.hausdorff_distance(wanted) < 1e-4)


def matched(rows: list[Row], samples: list[Sample]) -> list[Row]:
    """Return the rows in the order of the samples, by place: some formats sort."""
    return [min(rows, key=lambda row: row.geometry.distance(one.geometry.representative_point())) for one in samples]  # type: ignore[union-attr]


FOR_MAPS = [
    (item.key, crs)
    for item in FORMATS.values()
    if not item.pixels
    for crs in ([LONLAT, "EPSG:32645"] if item.any_crs else [LONLAT])
]


@pytest.mark.parametrize(("form", "crs"), FOR_MAPS)
def test_a_format_for_maps_gives_back_shapes_classes_and_fields(form: str, crs: str, tmp_path: Path) -> None:
    samples = everything()
    path, lost = written(form, tmp_path / "out", samples, crs=crs)
    assert lost == {}
    rows = read(path)
    assert len(rows) == len(samples)
    for row, sample in zip(matched(rows, samples), samples, strict=True):
        # A nanodegree is a tenth of a millimetre: KML's text and the way there and back through UTM.
        exact = crs == LONLAT and form != "kml"
        assert row.geometry is not None
        assert row.geometry.normalize().equals_exact(sample.geometry.normalize(), 0.0 if exact else 1e-9)
        kept = {name: value for name, value in row.properties.items() if value is not None}
        own = {name: getattr(sample, name) for name in ("class_value", "class_name", "score", "source", "verified")}
        assert kept == sample.properties | {name: value for name, value in own.items() if value is not None}


@pytest.mark.parametrize(
    ("form", "shapes", "lost"),
    [
        ("coco", [BOX, TURNED], set()),
        ("yolo-seg", [BOX, TURNED], {"fields left out: the format holds the class only"}),
        ("yolo-obb", [BOX, TURNED], {"fields left out: the format holds the class only"}),
        (
            "yolo",
            [BOX, TURNED.envelope],
            {"fields left out: the format holds the class only", "outlines written as their boxes"},
        ),
    ],
)
def test_a_format_of_pixels_gives_back_what_it_holds(
    form: str, shapes: list[BaseGeometry], lost: set[str], tmp_path: Path
) -> None:
    samples = areas()
    path, told = written(form, tmp_path / "out", samples)
    assert set(told) == lost
    rows = read(path)
    for row, sample, shape in zip(rows, samples, shapes, strict=True):
        assert row.geometry is not None
        pixels = GRID.to_pixels(row.geometry)
        assert same(pixels, shape)
        assert row.properties["class_name"] == sample.class_name


def test_voc_counts_whole_pixels_from_one(tmp_path: Path) -> None:
    path, lost = written("voc", tmp_path / "out", areas())
    with zipfile.ZipFile(path) as archive:
        root = ET.fromstring(archive.read(archive.namelist()[0]))
    first = [int(root.findtext(f"object/bndbox/{side}") or "") for side in ("xmin", "ymin", "xmax", "ymax")]
    assert first == [11, 21, 50, 60]
    assert "boxes rounded to whole pixels" in lost
    box, turned = (GRID.to_pixels(row.geometry) for row in read(path) if row.geometry)
    assert same(box, BOX)
    assert turned.hausdorff_distance(TURNED.envelope) < 1


def test_a_burnt_raster_holds_the_pixels_and_traces_back(tmp_path: Path) -> None:
    path, lost = written("raster", tmp_path / "out", everything())
    with rasterio.open(path) as dataset:
        values = dataset.read(1)
        assert (dataset.shape, dataset.crs.to_epsg(), dataset.nodata) == ((256, 320), 32645, 0)
        assert dataset.colormap(1)[1] == (0x1B, 0x9E, 0x77, 255)
    # Pixel centres inside: the boxes lie on whole pixels.
    assert (values == 1).sum() == BOX.area + PARTS.area
    assert values[130, 130] == 0
    assert lost["points and lines left out: the format holds areas"] == 2
    rows = read(path)
    assert sorted(row.properties["class_value"] for row in rows) == [1, 1, 1, 2, 2]
    traced = shapely.union_all([GRID.to_pixels(row.geometry) for row in rows if row.properties["class_value"] == 1])
    assert traced.symmetric_difference(shapely.union_all([BOX, PARTS])).area < 1e-3


def test_pixel_formats_tell_what_did_not_fit(tmp_path: Path) -> None:
    outside = Sample(7, on_ground(shapely.box(-500, -500, -400, -400)), 1, "Tree")
    cut = Sample(8, on_ground(shapely.box(-10, 0, 10, 10)), 1, "Tree")
    path, lost = written("coco", tmp_path / "out", [*everything(), outside, cut])
    assert lost == {
        "points and lines left out: the format holds areas": 2,
        "holes filled: the format holds outlines only": 1,
        "samples outside the imagery left out": 1,
        "samples cut at the edge of the imagery": 1,
    }
    content = json.loads(path.read_text())
    assert [len(item["segmentation"]) for item in content["annotations"]] == [1, 1, 1, 2, 1]
    assert content["annotations"][0]["bbox"] == pytest.approx([10, 20, 40, 40], abs=1e-4)


def test_coco_masks_become_outlines(tmp_path: Path) -> None:
    height, width = GRID.height, GRID.width
    # Columns 2 to 4 and rows 10 to 29, run by run down the columns.
    runs = [2 * height + 10, 20, height - 20, 20, height - 20, 20]
    runs.append(height * width - sum(runs))
    item = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": {"size": [height, width], "counts": runs}}
    content = {
        "images": [{"id": 1, "file_name": "x.tif", "height": height, "width": width}],
        "categories": [{"id": 1, "name": "Tree"}],
        "annotations": [item],
    }
    path = tmp_path / "masks.json"
    path.write_text(json.dumps(content))
    (row,) = read(path)
    assert row.geometry is not None
    assert same(GRID.to_pixels(row.geometry), shapely.box(2, 10, 5, 30))


def test_labels_of_another_image_are_refused_with_both_sizes(tmp_path: Path) -> None:
    path, _ = written("coco", tmp_path / "out", areas())
    smaller = Grid("other", 100, 100, GRID.transform, GRID.crs)
    with pytest.raises(BadVectors, match="320 x 256 pixels, the imagery 100 x 100"):
        read(path, smaller)
    with pytest.raises(BadVectors, match="stands on none"):
        read(path, None)
    with pytest.raises(Invalid, match="stands on none"):
        written("voc", tmp_path / "none", areas(), grid=None)


def test_other_readers_find_what_we_wrote(tmp_path: Path) -> None:
    for form in ("gpkg", "flatgeobuf"):
        path, _ = written(form, tmp_path / form, everything(), crs="EPSG:32645")
        meta, _, shapes, _ = pyogrio.raw.read(path)
        assert (meta["crs"], len(shapes), set(FIELDS) <= set(meta["fields"])) == ("EPSG:32645", 6, True)
    with zipfile.ZipFile(written("shapefile", tmp_path / "shp", everything())[0]) as archive:
        archive.extractall(tmp_path / "unpacked")
        names = {Path(name).suffix for name in archive.namelist()}
    assert {".shp", ".shx", ".dbf", ".prj", ".cpg", ".json", ".md"} == names
    assert sum(len(pyogrio.raw.read(path)[2]) for path in (tmp_path / "unpacked").glob("*.shp")) == 6


def test_files_say_when_the_imagery_was_taken(tmp_path: Path) -> None:
    grid = replace(GRID, taken="2018-04-02T00:00:00+00:00")

    def file(form: str, **values: Any) -> Path:
        return written(form, tmp_path / form, areas(), **values)[0]

    kept = {"imagery": GRID.name, "imagery_date": grid.taken}
    told = json.loads(file("geojson", grid=grid).read_text())
    assert {name: told[name] for name in kept} == kept
    assert json.loads(file("coco", grid=grid).read_text())["images"][0]["date_captured"] == grid.taken
    assert pyogrio.read_info(file("gpkg", grid=grid))["layer_metadata"] == kept
    told = pyarrow.parquet.read_schema(file("geoparquet", grid=grid)).metadata
    assert told[b"imagery_date"].decode() == grid.taken
    with zipfile.ZipFile(file("stac", grid=grid)) as archive:
        told = json.loads(archive.read("item.json"))["properties"]
    assert {name: told[name] for name in kept} == kept
    # Nobody said when, or there is no imagery.
    assert "imagery_date" not in json.loads(written("geojson", tmp_path / "undated", areas())[0].read_text())
    assert "imagery" not in json.loads(written("geojson", tmp_path / "alone", areas(), grid=None)[0].read_text())


@given(st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00\r\n"), max_size=20))
def test_no_cell_of_a_csv_runs_in_a_spreadsheet_and_all_come_back(text: str) -> None:
    cell = csv_wkt._cell(text)
    assert not cell.startswith(csv_wkt.FORMULA)
    assert csv_wkt._unguarded(cell) == text


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_a_line_of_geojson_keeps_every_bit_of_a_position(x: float, y: float) -> None:
    line = geojson_rows.feature_line(shapely.Point(x, y), {})
    assert json.loads(line)["geometry"]["coordinates"] == [x, y]


def test_csv_takes_two_columns_and_other_separators(tmp_path: Path) -> None:
    path = tmp_path / "trees.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerows([["Name", "lat", "lon", "code"], ["a", "27.5", "85.5", "007"], ["b", "", "85.6", "12"]])
    first, second = read(path, None)
    assert (first.geometry, first.properties) == (shapely.Point(85.5, 27.5), {"Name": "a", "code": "007"})
    assert second.geometry is None


@pytest.mark.parametrize(
    "text",
    [
        "names: ['a, b', \"it's\"]\n",
        "train: x\nnames:\n- a, b\n- it's\nnc: 2\n",
        "names:\n  0: 'a, b'\n  1: 'it''s'\n",
        "names: {0: 'a, b', 1: \"it's\"}\n",
    ],
)
def test_the_ways_of_writing_names_are_read(text: str) -> None:
    assert yolo.names_of(text) == {0: "a, b", 1: "it's"}


BROKEN: dict[str, Callable[[], bytes]] = {
    "empty.gpkg": lambda: b"",
    "cut.gpkg": lambda: b"SQLite format 3\x00" + bytes(80),
    "cut.parquet": lambda: b"PAR1" + bytes(20),
    "cut.fgb": lambda: b"fgb\x03fgb\x00" + bytes(30),
    "cut.zip": lambda: b"PK\x03\x04" + bytes(40),
    "vrt.geojson": lambda: b"<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>",
    "evil.kml": lambda: b'<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]><kml>&x;</kml>',
    "evil.xml": lambda: b'<!DOCTYPE a [<!ENTITY x "y">]><annotation/>',
    "plain.csv": lambda: b"a,b\n1,2\n",
    "noise.bin": lambda: bytes(range(256)),
    "coco.json": lambda: b'{"images": [], "annotations": [{"image_id": 3}], "categories": []}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BROKEN[name]())
    with pytest.raises(BadVectors) as caught:
        read(path)
    assert caught.value.message.endswith(".") or caught.value.fix
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("name", ["../out.shp", "/etc/out.shp", "a\\b.shp"])
def test_a_zip_that_points_outside_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(BadVectors, match="outside"):
        read(path)
    assert not (tmp_path / "out.shp").exists()


def test_a_shapefile_without_its_parts_names_them(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("trees.shp", b"x")
    with pytest.raises(BadVectors, match=r"without its \.shx and \.dbf"):
        read(path)


def test_numbers_that_are_no_numbers_become_none(tmp_path: Path) -> None:
    from webapp.vectors.ogr import plain

    assert [plain(value) for value in (math.nan, math.inf, b"x", [1, "a"])] == [None, None, None, '[1, "a"]']
