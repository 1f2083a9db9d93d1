"""YOLO labels: a text file for an image, a line for an object, numbers from 0 to 1 of the image's size.

`class x y width height` is a box, `class x1 y1 x2 y2 …` the corners of a polygon; with four corners a turned box (OBB).
"""

import re
from collections.abc import Iterator
from pathlib import Path

import shapely
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from webapp.errors import BadVectors
from webapp.vectors import origin, pixels
from webapp.vectors.ogr_write import packed
from webapp.vectors.table import CLASS_NAME, Grid, Row, Table, Task

NAME_FILES = ("classes.txt", "obj.names", "labels.txt")
BOX, BOX_AND_SCORE = 5, 6
LINE = re.compile(r"^\s*\d+(\s+[-+.\deE]+){4,}\s*$")
DIGITS = 17
MAX_BYTES = 256 << 20


def looks_like(path: Path) -> bool:
    """Return whether a text file's first line is a YOLO label."""
    with path.open("rb") as file:
        lines = file.read(65_536).decode("utf-8", errors="replace").splitlines()
    first = next((line for line in lines if line.strip()), "")
    return bool(LINE.match(first))


def tables(files: list[Path], grid: Grid | None) -> list[Table]:
    """Return one table for each label file, that of the imagery first.

    Raises:
        BadVectors: no label files, or lists of class names that cannot be read.
    """
    grid = pixels.need(grid, "YOLO")
    names = _names(files)
    labels = [path for path in files if path.suffix.lower() == ".txt" and path.name.lower() not in NAME_FILES]
    kept = [path for path in labels if path.stat().st_size <= MAX_BYTES and looks_like(path)]
    if not kept:
        raise BadVectors(
            "No file holds YOLO labels.", fix="Zip the .txt files with data.yaml or classes.txt.", code="no_features"
        )
    return pixels.matching([_table(path, names, grid) for path in kept], grid)


def _table(path: Path, names: dict[int, str], grid: Grid) -> Table:
    def rows() -> Iterator[Row]:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.strip():
                    yield _row(line.split(), names, grid)

    notes = [] if names else ["The file names no classes (data.yaml or classes.txt): their numbers are shown."]
    return Table(path.name, rows, grid.crs, CLASS_NAME, notes)


def _row(parts: list[str], names: dict[int, str], grid: Grid) -> Row:
    try:
        number, values = int(parts[0]), [float(part) for part in parts[1:]]
    except ValueError:
        return Row(None, {})
    found: dict[str, object] = {CLASS_NAME: names.get(number, str(number))}
    if len(parts) == BOX_AND_SCORE:
        found["score"] = values[4]
    return Row(pixels.to_ground(grid, _shape(values, grid)), found)


def _shape(values: list[float], grid: Grid) -> BaseGeometry | None:
    if len(values) in (BOX - 1, BOX_AND_SCORE - 1):
        x, y, width, height = values[:4]
        unit: BaseGeometry = box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    elif len(values) >= 6 and len(values) % 2 == 0:
        unit = Polygon(list(zip(values[::2], values[1::2], strict=True)))
    else:
        return None
    return shapely.transform(unit, lambda points: points * (grid.width, grid.height))


def _names(files: list[Path]) -> dict[int, str]:
    for path in files:
        if path.stat().st_size > 1 << 20:
            continue
        if path.name.lower() in NAME_FILES:
            return dict(enumerate(path.read_text(encoding="utf-8-sig", errors="replace").split("\n")))
        if path.suffix.lower() in (".yaml", ".yml"):
            found = names_of(path.read_text(encoding="utf-8-sig", errors="replace"))
            if found:
                return found
    return {}


def names_of(text: str) -> dict[int, str]:
    """Return the class names of a data.yaml: `names: [a, b]`, a list of `- a`, or lines of `0: a`.

    Not a YAML reader: the three ways in which this one key is written.
    """
    found = re.search(r"^names\s*:[ \t]*(.*)$", text, re.MULTILINE)
    if not found:
        return {}
    rest = text[found.end() :]
    if found[1].strip().startswith(("[", "{")):
        body = (found[1] + rest).strip()[1:]
        items = [
            _unquoted(item) for item in re.split(r",(?=(?:[^'\"]|'[^']*'|\"[^\"]*\")*$)", re.split(r"[\]}]", body)[0])
        ]
        pairs = [item.partition(":") for item in items]
        keyed = found[1].strip().startswith("{")
        return {int(key): _unquoted(name) for key, _, name in pairs if key.strip().isdigit()} if keyed else dict(
            enumerate(item for item in items if item)
        )  # fmt: skip
    names: dict[int, str] = {}
    for line in rest.lstrip("\n").splitlines():
        item = re.match(r"^\s*(?:-\s+(?P<listed>.+)|(?P<number>\d+)\s*:\s*(?P<named>.+))$", line)
        if not item:
            break
        names[int(item["number"]) if item["number"] else len(names)] = _unquoted(item["listed"] or item["named"])
    return names


def _unquoted(text: str) -> str:
    kept = text.strip()
    return kept[1:-1].replace("''", "'") if len(kept) > 1 and kept[0] == kept[-1] and kept[0] in "'\"" else kept


def write_boxes(task: Task) -> Path:
    """Return a zip with one box a sample."""
    lines = []
    for found in pixels.on_image(task):
        left, top, right, bottom = _unit(task, found.bounds)
        task.lost[pixels.BOXED] += not found.is_box
        lines.append((found.sample.class_value, [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]))
    return _packed(task, lines, "yolo")


def write_turned_boxes(task: Task) -> Path:
    """Return a zip with one turned box (the smallest that holds it) a sample; upright where that leaves the image."""
    lines, frame = [], box(0, 0, task.pixels.width, task.pixels.height)
    for found in pixels.on_image(task):
        around = shapely.minimum_rotated_rectangle(shapely.union_all(found.parts))
        corners = pixels.ring(around) if isinstance(around, Polygon) else []
        exact = len(found.parts) == 1 and len(pixels.ring(found.parts[0])) == 4
        task.lost["outlines written as their turned boxes"] += not (
            exact and around.area <= found.parts[0].area * 1.001
        )
        if exact and around.area <= found.parts[0].area * 1.001:
            corners = pixels.ring(found.parts[0])  # itself, not what the computation made of it
        if not frame.covers(Polygon(corners) if corners else Polygon()):
            # Readers refuse a whole image for one corner outside of it.
            corners = pixels.ring(box(*found.bounds))
            task.lost["turned boxes over the edge of the imagery written upright"] += 1
        lines.append((found.sample.class_value, _units(task, corners)))
    return _packed(task, lines, "yolo-obb")


def write_outlines(task: Task) -> Path:
    """Return a zip with the outline of each part of a sample (YOLO segmentation)."""
    lines = []
    for found in pixels.on_image(task):
        task.lost[pixels.PARTS] += len(found.parts) > 1
        for part in found.parts:
            lines.append((found.sample.class_value, _units(task, pixels.ring(pixels.filled(task, part)))))
    return _packed(task, lines, "yolo-seg")


def _units(task: Task, corners: list[tuple[float, float]]) -> list[float]:
    grid = task.pixels
    return [number for x, y in corners for number in (x / grid.width, y / grid.height)]


def _unit(task: Task, bounds: tuple[float, float, float, float]) -> list[float]:
    return _units(task, [(bounds[0], bounds[1]), (bounds[2], bounds[3])])


def _packed(task: Task, lines: list[tuple[int | None, list[float]]], kind: str) -> Path:
    pixels.note_fields(task)
    order = {value: place for place, value in enumerate(pixels.used(task))}
    labels = task.folder / f"{task.pixels.stem}.txt"
    with labels.open("w", encoding="utf-8") as file:
        for value, numbers in lines:
            file.write(" ".join([str(order[value or 0]), *(f"{number:.{DIGITS}g}" for number in numbers)]) + "\n")
    names = task.folder / "data.yaml"
    quoted = ["'" + item.name.replace("'", "''") + "'" for item in task.classes]
    names.write_text(
        "names:\n" + "".join(f"  {place}: {name}\n" for place, name in enumerate(quoted)), encoding="utf-8"
    )
    return packed(task.folder / f"{task.stem}-{kind}.zip", [labels, names, origin.readme(task)])
