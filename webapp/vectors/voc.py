"""Pascal VOC annotations: one XML file an image, boxes in whole pixels counted from 1, both ends inside.

They are written in the folders of the VOC devkit, under which torchvision's `VOCDetection` and others look for them.
"""

import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from pathlib import Path

from shapely.geometry import box

from webapp.errors import BadVectors
from webapp.vectors import origin, pixels
from webapp.vectors.table import CLASS_NAME, Grid, Row, Table, Task

MAX_BYTES = 64 << 20
DEVKIT = "VOCdevkit/VOC2012"
LISTS = ("train", "trainval")
FLAGS = ("pose", "truncated", "difficult", "occluded")


def parse(path: Path) -> ET.Element:
    """Return the root of an XML file that declares nothing.

    Raises:
        BadVectors: damaged, too large, or with a document type: entities are how XML reads files and fills memory.
    """
    content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
    if not content or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise BadVectors(
            f"'{path.name}' is empty, over 64 MB, or declares a document type.",
            fix="Remove the <!DOCTYPE …> and export it again.",
            code="xml_unsafe",
        )
    try:
        return ET.fromstring(content)
    except ET.ParseError as error:
        raise BadVectors(f"'{path.name}' is damaged: {error}.", fix="Export it again.", code="file_damaged") from error


def tables(files: list[Path], grid: Grid | None) -> list[Table]:
    """Return one table for each annotation file, that of the imagery first.

    Raises:
        BadVectors: no annotation, or one that cannot be read.
    """
    grid = pixels.need(grid, "Pascal VOC")
    roots = {path: parse(path) for path in files if path.suffix.lower() == ".xml"}
    found = [_table(path, root, grid) for path, root in roots.items() if root.tag == "annotation"]
    if not found:
        raise BadVectors("No file is a Pascal VOC annotation.", fix="Zip the .xml files.", code="no_features")
    return pixels.matching(found, grid)


def _table(path: Path, root: ET.Element, grid: Grid) -> Table:
    name = root.findtext("filename") or path.name
    size = (root.findtext("size/height"), root.findtext("size/width"))
    fits = size in ((str(grid.height), str(grid.width)), (None, None))

    def rows() -> Iterator[Row]:
        if not fits:
            raise BadVectors(
                f"The image '{name[:80]}' has {size[1]} x {size[0]} pixels, the imagery {grid.width} x {grid.height}.",
                fix="Import into the label set over that image, or choose another image of the file.",
                code="image_size",
            )
        for item in root.iter("object"):
            yield _row(item, grid)

    notes = [] if fits else [f"Its size, {size[1]} x {size[0]}, is not that of the imagery."]
    return Table(name, rows, grid.crs, CLASS_NAME, notes)


def _row(item: ET.Element, grid: Grid) -> Row:
    values: dict[str, object] = {CLASS_NAME: item.findtext("name")}
    for flag in FLAGS:
        found = item.findtext(flag)
        if found not in (None, "", "0", "Unspecified"):
            values[flag] = found
    try:
        left, top, right, bottom = (
            float(item.findtext(f"bndbox/{side}") or "") for side in ("xmin", "ymin", "xmax", "ymax")
        )
    except ValueError:
        return Row(None, values)
    return Row(grid.to_ground(box(left - 1, top - 1, right, bottom)), values)


def write(task: Task) -> Path:
    """Return a zip with one annotation file, in the folders of the VOC devkit; the image itself is not in it."""
    grid = task.pixels
    pixels.note_fields(task)
    names = {item.value: item.name for item in task.classes}
    root = ET.Element("annotation")
    _text(root, "folder", "VOC2012")
    _text(root, "filename", f"{grid.stem}.jpg")
    size = ET.SubElement(root, "size")
    for name, value in (("width", grid.width), ("height", grid.height), ("depth", 3)):
        _text(size, name, value)
    _text(root, "segmented", 0)
    for found in pixels.on_image(task):
        left, top, right, bottom = (round(number) for number in found.bounds)
        exact = (left, top, right, bottom) == found.bounds
        task.lost["boxes rounded to whole pixels"] += not exact
        task.lost[pixels.BOXED] += not found.is_box
        item = ET.SubElement(root, "object")
        _text(item, "name", names[found.sample.class_value or 0])
        for name, flag in (("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")):
            _text(item, name, flag)
        frame = ET.SubElement(item, "bndbox")
        # At least one pixel wide.
        for name, value in (("xmin", left + 1), ("ymin", top + 1), ("xmax", max(right, left + 1)),
                            ("ymax", max(bottom, top + 1))):  # fmt: skip
            _text(frame, name, value)
    ET.indent(root)
    return _packed(task, grid.stem, ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _packed(task: Task, stem: str, annotation: bytes) -> Path:
    path = task.folder / f"{task.stem}-voc.zip"
    where = f"{DEVKIT}/JPEGImages/{stem}.jpg"
    readme = origin.readme(task, f"Put the image as {where}: then torchvision.datasets.VOCDetection reads the folder.")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{DEVKIT}/Annotations/{stem}.xml", annotation)
        for name in LISTS:
            archive.writestr(f"{DEVKIT}/ImageSets/Main/{name}.txt", f"{stem}\n")
        archive.write(readme, readme.name)
    readme.unlink()
    return path


def _text(parent: ET.Element, name: str, value: object) -> None:
    ET.SubElement(parent, name).text = str(value)
