"""Samples come in from a file and leave as one, by the dialogs of the labeling page and a real worker."""

import json
import math
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pyogrio
import pytest
import rasterio
import rasterio.features
import shapely
from playwright.sync_api import expect
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from labeling.models import LabelSet
from tests.browser.driver import Pages
from tests.browser.labels import Labels
from webapp.features.bulk import NewFeature, add_features
from webapp.features.geometry import to_shape
from webapp.features.models import Feature
from webapp.projects.models import User

Screenshot = Callable[..., None]


def classes_of_table(path: Path) -> Counter[str]:
    """Return how often each class name stands in a file, as pyogrio reads it."""
    meta, _, _, fields = pyogrio.raw.read(f"/vsizip/{path}" if path.suffix == ".zip" else path)
    return Counter(fields[list(meta["fields"]).index("class_name")])


def classes_of_coco(path: Path) -> Counter[str]:
    told = json.loads(path.read_text())
    names = {item["id"]: item["name"] for item in told["categories"]}
    return Counter(names[item["category_id"]] for item in told["annotations"])


def classes_of_turned_boxes(path: Path) -> Counter[str]:
    """Return how often each class stands in the labels of a YOLO folder, each with four corners between 0 and 1."""
    with zipfile.ZipFile(path) as archive:
        names = re.findall(r"^  \d+: '(.+)'$", archive.read("data.yaml").decode(), re.MULTILINE)
        [labels] = (name for name in archive.namelist() if name.endswith(".txt") and "readme" not in name.lower())
        rows = [line.split() for line in archive.read(labels).decode().splitlines()]
    assert all(len(row) == 9 and all(0 <= float(part) <= 1 for part in row[1:]) for row in rows)
    return Counter(names[int(row[0])] for row in rows)


def classes_of_raster(path: Path) -> Counter[str]:
    """Return how many patches of pixels each class has."""
    with rasterio.open(path) as raster:
        pixels = raster.read(1)
    names = {1: "Tree", 7: "Water"}
    return Counter(names[value] for _, value in rasterio.features.shapes(pixels) if value in names)


# What a program that is not ours reads in each file that we write.
FORMS: dict[str, Callable[[Path], Counter[str]]] = {
    "Shapefile (zip)": classes_of_table,
    "GeoPackage": classes_of_table,
    "COCO": classes_of_coco,
    "YOLO turned boxes, OBB (zip)": classes_of_turned_boxes,
    "Classified raster (GeoTIFF)": classes_of_raster,
}


def turned_box(shape: BaseGeometry) -> BaseGeometry:
    """Return the smallest box at any angle around a shape in degrees, as it is on the ground."""
    east = math.cos(math.radians(shape.centroid.y))
    ground = affinity.scale(shape, east, 1, origin=(0, 0))
    return affinity.scale(shapely.minimum_rotated_rectangle(ground), 1 / east, 1, origin=(0, 0))


def test_a_file_comes_in_with_classes_mapped_and_leaves_in_another_format(
    open_page: Pages, worker: Popen[bytes], label_set: LabelSet, ana: User, tmp_path: Path, screenshot: Screenshot
) -> None:
    assert label_set.imagery.footprint is not None
    west, south, east, north = label_set.imagery.footprint.extent
    size = (east - west) / 10
    # The last one lies beside the imagery.
    boxes = [
        shapely.box(west + n * 2 * size, south + size, west + (n * 2 + 1) * size, north - size) for n in (0, 1, 2, 3, 7)
    ]
    kinds = ["tree", "Pond", "boat", "Pond", "Pond"]
    lines = [
        f'"{box.wkt}",{kind},{n},"{"very long text " * 6}"'
        for n, (box, kind) in enumerate(zip(boxes, kinds, strict=True))
    ]
    path = tmp_path / "ponds and trees of the northern shore, second survey.csv"
    path.write_text("\n".join(["wkt,label,storeys,remark", *lines]))
    labels = Labels(open_page(ana), label_set)
    page = labels.page

    page.get_by_role("button", name="Import and export").click()
    page.get_by_role("menuitem", name="Import").click()
    noise = tmp_path / "noise.bin"
    noise.write_bytes(bytes(range(256)))
    page.get_by_label("File").set_input_files(noise)
    expect(page.get_by_role("alert")).to_contain_text("none of the formats")
    page.get_by_label("File").set_input_files(path)
    expect(page.get_by_label("Class", exact=True)).to_have_value("label")
    expect(page.get_by_text("Partly on the imagery.")).to_be_visible()
    page.get_by_label("Class of boat").select_option("Leave out")
    page.get_by_text("3 fields of 3 come along").click()
    page.get_by_label("Name of storeys here").fill("floors")
    page.get_by_text("First rows").click()
    screenshot(page, "label-import")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("4 samples imported.")).to_be_visible()
    screenshot(page, "label-import-report")
    page.get_by_role("button", name="Done").click()
    labels.saved(4)
    expect(page.get_by_role("button", name=re.compile("Pond")).first).to_be_visible()
    assert {row.properties["floors"] for row in Feature.objects.filter(layer=label_set.layer)} == {0, 1, 3, 4}

    page.get_by_role("button", name="Import and export").click()
    page.get_by_role("menuitem", name="Export samples").click()
    page.get_by_label("Format").select_option("COCO")
    screenshot(page, "label-export")
    page.get_by_label("Format").select_option("GeoPackage")
    page.get_by_label("Coordinates").select_option("As the imagery")
    page.get_by_role("checkbox", name="Those without a class").uncheck()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export", exact=True).click()
    expect(page.get_by_text("4 features written.")).to_be_visible()
    written = tmp_path / download.value.suggested_filename
    download.value.save_as(written)
    meta, _, shapes, _ = pyogrio.raw.read(written)
    assert (len(shapes), "floors" in meta["fields"]) == (4, True)
    assert meta["crs"] == f"EPSG:{label_set.imagery.epsg}"
    page.get_by_role("button", name="Done").click()

    page.get_by_role("button", name="Import and export").click()
    page.get_by_role("menuitem", name="Samples manager").click()
    row = page.get_by_role("row", name=re.compile("Pond"))
    expect(row).to_contain_text("3")
    expect(page.get_by_text("Few samples: Tree (1), Building (0), Water (0), Pond (3).")).to_be_visible()
    screenshot(page, "samples-classes", full_page=True)
    page.get_by_role("tab", name="Problems (2)").click()
    outside = page.get_by_role("region", name="Not on the imagery")
    expect(outside.get_by_text("Pond")).to_be_visible()
    screenshot(page, "samples-problems", full_page=True)
    outside.get_by_role("button", name="Delete", exact=True).click()
    edge = page.get_by_role("region", name="Over the edge of the imagery")
    expect(outside).to_have_count(0)
    edge.get_by_role("button", name="Cut at the edge").click()
    expect(page.get_by_text("Nothing is wrong with the samples")).to_be_visible()
    page.get_by_role("tab", name="Classes").click()
    page.get_by_role("button", name="What to do with Pond").click()
    screenshot(page, "samples-menu")
    page.get_by_role("menuitem", name="Merge into").click()
    page.get_by_label("Into").select_option("Water")
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(row).to_contain_text("retired")
    water = page.get_by_role("row", name=re.compile("Water"))
    expect(water).to_contain_text("2")
    assert Feature.objects.filter(layer=label_set.layer, deleted=False, class_value=7).count() == 2


def test_samples_leave_are_wiped_and_come_back_the_same(
    open_page: Pages, label_set: LabelSet, ana: User, tmp_path: Path
) -> None:
    assert label_set.imagery.footprint is not None
    west, south, east, north = label_set.imagery.footprint.extent
    wide, high = east - west, north - south

    def at(x: float, y: float) -> tuple[float, float]:
        return west + x * wide, south + y * high

    drawn = [
        NewFeature(
            shapely.Polygon([at(0.2, 0.2), at(0.4, 0.25), at(0.3, 0.5)]),
            class_value=1,
            source="human",
            properties={"height": 3.25, "storeys": 2, "what the owner said": 'Ä, "1"; =2'},
        ),
        NewFeature(
            shapely.box(*at(0.5, 0.5), *at(0.7, 0.6)), class_value=7, score=0.625, properties={"model": "Ponds"}
        ),
    ]
    add_features(layer=label_set.layer, features=drawn)
    labels = Labels(open_page(ana), label_set)
    # Every format is proven in tests/vectors and tests/features; here the whole road of a file, by the dialogs. Those
    # that hold less than all come last, each of them gives the next one what it has left.
    for form in FORMS:
        before = list(labels.stored().order_by("class_value"))
        path = labels.take_out(form, tmp_path)
        assert FORMS[form](path) == {"Tree": 1, "Water": 1}, form
        labels.key("Control+a")
        labels.key("Delete")
        labels.saved(0)
        labels.bring_in(path, count=2)
        labels.saved(2)
        for old, new in zip(before, labels.stored().order_by("class_value"), strict=True):
            assert new.pk != old.pk
            assert new.class_value == old.class_value, form
            whole = form not in ("YOLO turned boxes, OBB (zip)", "Classified raster (GeoTIFF)")
            if whole:
                assert (new.score, new.properties) == (old.score, old.properties), form
                # A nanodegree is a thousandth of a pixel here: the way to UTM and back.
                assert to_shape(new.geometry).hausdorff_distance(to_shape(old.geometry)) < 1e-9, form
                assert new.geometry.num_coords == old.geometry.num_coords
            # COCO has no word for what nobody has checked.
            assert new.verified == (old.verified or form == "COCO")
            was, now = to_shape(old.geometry), to_shape(new.geometry)
            if "OBB" in form:
                # A triangle has three smallest boxes around it, of one size.
                assert now.area == pytest.approx(turned_box(was).area, rel=0.01)
                assert now.intersection(was).area > 0.99 * was.area
            else:
                assert now.intersection(was).area / now.union(was).area > 0.95, form
