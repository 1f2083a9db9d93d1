"""The folders that are written: Esri's layouts, read back by other people's readers."""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from shapely.geometry import Polygon, box
from torchvision.datasets import VOCDetection

from tests.training.conftest import BUILDING, corner, labels_of
from training import formats
from training.chips import Cutting, Label
from training.export import Order, export
from training.formats import ClassName, Folder, Moments
from webapp.errors import Invalid
from webapp.raster.shapes import to_crs

pytestmark = pytest.mark.data

HEADER = ["cls", "name", "cls", "value", "images", "features", "min", "size", "mean", "size", "max", "size"]
ESRI = {"esri_model_definition.emd", "esri_accumulated_stats.json", "map.txt", "stats.txt", "images", "labels"}


def test_the_folder_holds_what_esri_writes_and_our_own_file(buildings: Folder, trees: Folder) -> None:
    for folder, ending in ((buildings, "tif"), (trees, "xml")):
        assert {path.name for path in folder.path.iterdir()} - {"models"} == ESRI | {"quadrat.json"}
        images = sorted(path.name for path in (folder.path / "images").iterdir())
        assert images == [f"{number:09d}.tif" for number in range(len(folder.chips))]
        labels = sorted(path.name for path in (folder.path / "labels").iterdir())
        assert labels == [f"{number:09d}.{ending}" for number in range(len(folder.chips))]


def test_map_txt_is_written_as_pro_writes_it(trees: Folder) -> None:
    lines = (trees.path / "map.txt").read_bytes().split(b"\n")
    assert lines[0] == rb"images\000000000.tif  labels\000000000.xml "
    assert lines[-1] == b""
    assert len(lines) == len(trees.chips) + 1


def test_voc_files_hold_the_class_value_and_floats_with_two_decimals(trees: Folder) -> None:
    raw = (trees.path / trees.chips[0].label).read_text()
    root = ElementTree.fromstring(raw)
    assert root.tag == "annotation"
    assert [child.tag for child in root][:3] == ["filename", "source", "size"]
    assert root.findtext("filename") == "000000000.tif"
    assert [root.findtext(f"size/{key}") for key in ("width", "height", "depth")] == ["128", "128", "3"]
    objects = root.findall("object")
    assert objects
    for item in objects:
        assert item.findtext("name") == "1"
        corners = [item.findtext(f"bndbox/{key}") or "" for key in ("xmin", "ymin", "xmax", "ymax")]
        assert all(re.fullmatch(r"\d+\.\d\d", corner) for corner in corners)
        assert all(0 <= float(corner) <= 128 for corner in corners)


def test_torchvisions_reader_of_voc_reads_our_labels(trees: Folder) -> None:
    chip = trees.chips[0]
    parsed = VOCDetection.parse_voc_xml(ElementTree.parse(trees.path / chip.label).getroot())
    boxes, values = formats.read_boxes(trees.path / chip.label, {})
    found = [
        [float(item["bndbox"][key]) for key in ("xmin", "ymin", "xmax", "ymax")]
        for item in parsed["annotation"]["object"]
    ]
    assert np.allclose(boxes, found)
    assert set(values.tolist()) == {1}


def test_boxes_lie_where_the_labels_are(trees: Folder, data: Path) -> None:
    crowns = labels_of(data / "neon_trees" / "OSBS_029_tree_boxes.geojson", 1)
    chip = trees.chips[3]
    with rasterio.open(trees.path / chip.image) as source:
        affine, crs, bounds = source.transform, source.crs.to_wkt(), source.bounds
    boxes, _ = formats.read_boxes(trees.path / chip.label, {})
    assert len(boxes)
    truth = [to_crs(label.geometry, 4326, crs).intersection(box(*bounds)).envelope for label in crowns]
    # In float64: a northing of 3,285,142.9 m has steps of 0.25 m in float32.
    for xmin, ymin, xmax, ymax in boxes.astype(float):
        west, north = affine @ (xmin, ymin)
        east, south = affine @ (xmax, ymax)
        drawn = box(west, south, east, north)
        best = max(drawn.intersection(found).area / drawn.union(found).area for found in truth)
        assert best > 0.98


def test_label_chips_hold_the_class_value_of_pixel_centres(buildings: Folder, data: Path) -> None:
    chip = buildings.chips[4]
    with rasterio.open(buildings.path / chip.label) as label, rasterio.open(buildings.path / chip.image) as image:
        classes, affine, crs = label.read(1), label.transform, label.crs
        assert (image.transform, image.crs, image.count) == (affine, crs, 3)
        assert label.colormap(1)[7][:3] == (217, 95, 2)
    assert set(np.unique(classes)) <= {0, 7}
    roofs = shapely.union_all(
        [
            to_crs(found.geometry, 4326, crs.to_wkt())
            for found in labels_of(data / "banepa" / "banepa_buildings_osm.geojson", 7)
        ]
    )
    # The oracle asks shapely for a sample of pixel centres; those on an edge may fall either way.
    rows, cols = np.random.default_rng(0).integers(0, 128, (2, 500))
    xs, ys = affine @ (cols + 0.5, rows + 0.5)
    inside = shapely.contains_xy(roofs, xs, ys)
    assert (inside == (classes[rows, cols] == 7)).mean() > 0.99


def test_chips_are_at_the_asked_resolution_and_show_the_scene(buildings: Folder, data: Path) -> None:
    assert buildings.resolution_m == pytest.approx(0.3, rel=0.05)
    chip = buildings.chips[0]
    with (
        rasterio.open(buildings.path / chip.image) as source,
        rasterio.open(data / "banepa" / "banepa_train.tif") as scene,
    ):
        window = rasterio.windows.from_bounds(*source.bounds, transform=scene.transform)
        expected = scene.read(
            window=window, out_shape=source.read().shape, resampling=rasterio.enums.Resampling.average
        )
        assert np.abs(source.read().astype(int) - expected.astype(int)).mean() < 1


def test_statistics_are_those_of_the_chips(buildings: Folder, trees: Folder) -> None:
    stats = json.loads((buildings.path / "esri_accumulated_stats.json").read_text())
    chips = [formats.read_classes(buildings.path / chip.label)[0] for chip in buildings.chips]
    assert stats["NumTiles"] == len(chips)
    assert (stats["NumBands"], stats["TileSizeX"], stats["OutputFeatures"]) == (3, 128, False)
    assert stats["MetaDataMode"] == "Classified_Tiles"
    assert stats["Classes"] == [{"ClassValue": 7, "ClassName": "Building"}]
    assert stats["ClassPixelStats"]["NumPixelsPerClass"] == [int(sum((chip == 7).sum() for chip in chips))]
    assert stats["ClassPixelStats"]["NumImagesPerClass"] == [sum(bool((chip == 7).any()) for chip in chips)]
    stats = json.loads((trees.path / "esri_accumulated_stats.json").read_text())
    boxes = [len(formats.read_boxes(trees.path / chip.label, {})[0]) for chip in trees.chips]
    inner = stats["FeatureStats"]
    assert (inner["NumFeaturesTotal"], inner["NumFeaturesPerClass"]) == (sum(boxes), [sum(boxes)])
    assert inner["NumFeaturesPerImage"]["Max"] == max(boxes)
    assert 1 < inner["FeatureAreaPerClass"][0]["Mean"] < 100  # m² of a crown


def test_stats_txt_has_esris_rows(trees: Folder, buildings: Folder) -> None:
    lines = (trees.path / "stats.txt").read_text().splitlines()
    assert lines[0] == f"images = {len(trees.chips)} *3*128*128"
    assert lines[1].startswith("features = ")
    assert lines[2].startswith("features per image = [min = ")
    assert lines[3] == "classes = 1"
    assert lines[4].split() == [
        "cls",
        "name",
        "cls",
        "value",
        "images",
        "features",
        "min",
        "size",
        "mean",
        "size",
        "max",
        "size",
    ]
    assert lines[5].split()[:2] == ["Tree", "1"]
    assert "classes per image = [" in (buildings.path / "stats.txt").read_text()


def test_the_model_definition_holds_real_values(buildings: Folder) -> None:
    emd = json.loads((buildings.path / "esri_model_definition.emd").read_text())
    assert (emd["ImageHeight"], emd["ImageWidth"], emd["MetaDataMode"]) == (128, 128, "Classified_Tiles")
    assert emd["Classes"] == [{"Value": 7, "Name": "Building", "Color": [217, 95, 2]}]
    assert emd["MinCellSize"]["spatialReference"] == {"wkid": 102100, "latestWkid": 3857}
    pixels = np.concatenate(
        [formats.read_image(buildings.path / chip.image)[0].reshape(3, -1) for chip in buildings.chips], 1
    )
    for band, told in zip(pixels, emd["AllTilesStats"], strict=True):
        assert told["Mean"] == pytest.approx(band.mean())
        assert told["StdDev"] == pytest.approx(band.std())
        assert (told["Min"], told["Max"]) == (band.min(), band.max())


def test_normalisation_is_measured_on_training_chips_only(buildings: Folder) -> None:
    train = [formats.read_image(buildings.path / chip.image)[0] for chip in buildings.side("train")]
    pixels = np.concatenate([array.reshape(3, -1) for array in train], 1)
    assert buildings.mean == pytest.approx(pixels.mean(axis=1))
    assert buildings.std == pytest.approx(pixels.std(axis=1))


def test_our_reader_returns_what_was_written(buildings: Folder, trees: Folder) -> None:
    assert formats.read_folder(buildings.path) == buildings
    assert formats.read_folder(trees.path) == trees


def order(data: Path, **changes: Any) -> Order:
    scene = data / "banepa" / "banepa_train.tif"
    base = Order(
        imagery=scene,
        labels=labels_of(data / "banepa" / "banepa_buildings_osm.geojson", 7, corner(scene, 300, 300)),
        classes=(BUILDING,),
        format="Classified_Tiles",
        cutting=Cutting(chip_px=64, stride_px=64),
    )
    return replace(base, **changes)


def test_equal_orders_give_equal_files_for_any_number_of_threads(data: Path, tmp_path: Path) -> None:
    export(order(data), tmp_path / "one", threads=1)
    export(order(data), tmp_path / "other", threads=4)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) > 10
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes() for name in files)


def test_ground_that_nobody_labelled_is_neither_background_nor_object(data: Path, tmp_path: Path) -> None:
    scene = data / "banepa" / "banepa_train.tif"
    area = corner(scene, 100, 120)
    folder = export(order(data, extent=area, cutting=Cutting(chip_px=128, stride_px=128)), tmp_path / "out")
    labelled = sum(int(formats.read_classes(folder.path / chip.label)[1].sum()) for chip in folder.chips)
    assert labelled == pytest.approx(100 * 120, rel=0.02)


def test_chips_without_labels_can_be_left_out(data: Path, tmp_path: Path) -> None:
    every = export(order(data), tmp_path / "all")
    some = export(order(data, cutting=Cutting(chip_px=64, stride_px=64, features_only=True)), tmp_path / "some")
    assert 0 < len(some.chips) < len(every.chips)
    assert all(formats.read_classes(some.path / chip.label)[0].any() for chip in some.chips)


def test_empty_ground_of_a_raster_with_nodata_is_left_out(data: Path, tmp_path: Path) -> None:
    scene = tmp_path / "scene.tif"
    profile = {"driver": "GTiff", "height": 128, "width": 256, "count": 1, "dtype": "uint8", "nodata": 0}
    pixels = np.full((1, 128, 256), 9, np.uint8)
    pixels[:, :, 128:] = 0
    pixels[:, :10, :10] = 0
    affine = rasterio.Affine(1, 0, 353_000, 0, -1, 3_057_000)
    with rasterio.open(scene, "w", crs="EPSG:32645", transform=affine, **profile) as target:
        target.write(pixels)
    found = Label(to_crs(box(353_000, 3_056_872, 353_256, 3_057_000), 32645, 4326), 7)
    cutting = Cutting(chip_px=128, stride_px=128)
    folder = export(order(data, imagery=scene, labels=[found], cutting=cutting, validation=0), tmp_path / "out")
    assert len(folder.chips) == 1
    array, valid = formats.read_image(folder.path / folder.chips[0].image)
    assert not valid[:10, :10].any()
    assert valid.sum() == (array[0] == 9).sum() == pytest.approx(128 * 128 - 100, abs=130)
    assert (folder.mean, folder.std) == ((9.0,), (1.0,))


def test_an_order_without_labels_or_off_the_imagery_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no label"):
        export(order(data, labels=[]), tmp_path / "a")
    elsewhere = Label(Polygon([(10, 10), (10.1, 10), (10.1, 10.1)]), 7)
    with pytest.raises(Invalid, match="do not lie on the imagery"):
        export(order(data, labels=[elsewhere]), tmp_path / "b")
    with pytest.raises(Invalid, match="8 bit"):
        export(order(data, classes=(ClassName(300, "x"),)), tmp_path / "c")


@pytest.mark.parametrize(
    "raw",
    [
        b"<annotation><object>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>',
        b"<annotation><object><name>1</name><bndbox><xmin>a</xmin></bndbox></object></annotation>",
    ],
)
def test_damaged_or_explosive_xml_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "a.xml").write_bytes(raw)
    with pytest.raises(Invalid):
        formats.read_boxes(tmp_path / "a.xml", {})


def test_class_names_are_read_where_a_file_has_no_digits(tmp_path: Path) -> None:
    frame = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>"
    items = "".join(f"<object><name>{name}</name>{frame}</object>" for name in ("Tree", "7", "Car"))
    (tmp_path / "a.xml").write_text(f"<annotation>{items}</annotation>")
    _, values = formats.read_boxes(tmp_path / "a.xml", {"Tree": 1})
    assert values.tolist() == [1, 7]


def test_a_map_that_leaves_the_folder_is_refused(trees: Folder, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(trees.path, tmp_path / "out")
    (tmp_path / "out" / "quadrat.json").unlink()
    (tmp_path / "out" / "map.txt").write_text("..\\..\\secret.tif labels\\0.xml\n")
    with pytest.raises(Invalid, match="outside the folder"):
        formats.read_folder(tmp_path / "out")


def test_moments_of_parts_are_those_of_the_whole() -> None:
    values = np.random.default_rng(0).normal(5, 2, 1000)
    whole, parts = Moments(), Moments()
    whole.add(values)
    for part in np.split(values, [10, 400]):
        parts.add(part)
    assert (parts.mean, parts.std, parts.low) == pytest.approx((values.mean(), values.std(), values.min()))
    assert parts.std == pytest.approx(whole.std)
