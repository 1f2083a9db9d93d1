"""Training data on disk: the folder layouts of Esri's «Export Training Data For Deep Learning», written and read.

Beside Esri's files stands `quadrat.json`: the split, the statistics per band and where the chips come from.
Layouts and key names follow exports of ArcGIS Pro and the readers of arcgis.learn 2.4.
"""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.chips import Cut, Format
from webapp.errors import Invalid
from webapp.raster.chips import write_chip
from webapp.raster.read import Reader

SCHEMA = 1
OURS, EMD, STATS, TEXT, MAP = (
    "quadrat.json",
    "esri_model_definition.emd",
    "esri_accumulated_stats.json",
    "stats.txt",
    "map.txt",
)
TASKS: dict[str, str] = {"Classified_Tiles": "classify_pixels", "PASCAL_VOC_rectangles": "detect_objects"}
MAX_XML_BYTES = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class ClassName:
    """A class of the training data."""

    value: int
    name: str
    colour: str = "#888888"


@dataclass(frozen=True, slots=True)
class ChipFile:
    """One chip of a folder.

    Attributes:
        stem: file name without ending.
        side: `train` or `validation`.
        row: of the chip's window on the chip grid; None where unknown.
        col: likewise.
        image: relative to the folder.
        label: relative to the folder.
    """

    stem: str
    side: str
    image: str
    label: str
    row: int | None = None
    col: int | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of training data.

    Attributes:
        bands: names in the order of the chips' bands.
        mean: per band over the valid pixels of the training chips, in raw units.
        std: likewise.
        source: where the chips come from: imagery, label set, sequence number, attribution.
        split: how training and validation were parted.
    """

    path: Path
    format: Format
    classes: tuple[ClassName, ...]
    chips: tuple[ChipFile, ...]
    chip_px: int
    bands: tuple[str, ...]
    dtype: str
    resolution_m: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    split: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """`classify_pixels` or `detect_objects`."""
        return TASKS[self.format]

    def side(self, side: str) -> tuple[ChipFile, ...]:
        """Return the chips of one side of the split."""
        return tuple(chip for chip in self.chips if chip.side == side)


@dataclass
class Moments:
    """Running minimum, maximum, mean and sum of squared deviations (Chan et al. 1979) of one number."""

    low: float = float("inf")
    high: float = float("-inf")
    mean: float = 0.0
    squares: float = 0.0
    count: int = 0

    def add(self, values: NDArray[Any]) -> None:
        """Take more values in."""
        if values.size == 0:
            return
        numbers = values.astype(np.float64)
        mean = float(numbers.mean())
        squares = float(((numbers - mean) ** 2).sum())
        self.merge(Moments(float(numbers.min()), float(numbers.max()), mean, squares, int(numbers.size)))

    def merge(self, other: "Moments") -> None:
        """Take in what another one has seen."""
        total = self.count + other.count
        if not other.count:
            return
        apart = other.mean - self.mean
        self.squares += other.squares + apart**2 * self.count * other.count / total
        self.mean += apart * other.count / total
        self.count = total
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)

    @property
    def std(self) -> float:
        """Standard deviation; 1 where all values are equal, so that it can divide."""
        return float(np.sqrt(self.squares / self.count)) if self.count and self.squares > 0 else 1.0

    @property
    def summary(self) -> dict[str, float]:
        """Esri's Min, Max, Mean, Sum, Count."""
        if not self.count:
            return {"Min": 0.0, "Max": 0.0, "Mean": 0.0, "Sum": 0.0, "Count": 0}
        return {
            "Min": self.low,
            "Max": self.high,
            "Mean": self.mean,
            "Sum": self.mean * self.count,
            "Count": self.count,
        }


def stem_of(number: int) -> str:
    """Return Esri's file name of a chip: nine digits from 0."""
    return f"{number:09d}"


# --- writing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Layout:
    """What all chips of a folder share."""

    format: Format
    classes: tuple[ClassName, ...]
    chip_px: int
    bands: tuple[str, ...]
    crs_wkt: str
    epsg: int | None
    # Size of a chip's pixel in the units of its CRS.
    cell: tuple[float, float]


def write_pair(folder: Path, stem: str, cut: Cut, layout: Layout) -> ChipFile:
    """Write one chip and its labels into `images/` and `labels/`; the split is set later."""
    image = f"images/{stem}.tif"
    # For objects, ground that nobody labelled is no background: it is hidden as if it had no data.
    valid = cut.valid if layout.format == "Classified_Tiles" else cut.valid & cut.labelled
    write_chip(folder / image, cut.array, transform=cut.transform, crs_wkt=layout.crs_wkt, valid=valid)
    if layout.format == "Classified_Tiles":
        label = f"labels/{stem}.tif"
        known = cut.valid & cut.labelled
        colours = {entry.value: rgb(entry.colour) for entry in layout.classes}
        write_chip(
            folder / label,
            np.where(known, cut.classes, 0).astype(cut.classes.dtype)[None],
            transform=cut.transform,
            crs_wkt=layout.crs_wkt,
            valid=known,
            colours=colours if cut.classes.dtype == np.uint8 and max(colours) < 256 else None,
        )
    else:
        label = f"labels/{stem}.xml"
        (folder / label).write_bytes(voc(f"{stem}.tif", cut, layout.chip_px))
    return ChipFile(stem, "train", image, label)


def voc(filename: str, cut: Cut, chip_px: int) -> bytes:
    """Return Pascal VOC as Esri writes it: the class value's digits as name, corners with two decimals."""
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = filename
    source = ElementTree.SubElement(root, "source")
    ElementTree.SubElement(source, "annotation").text = "Quadrat"
    size = ElementTree.SubElement(root, "size")
    for key, value in (("width", chip_px), ("height", chip_px), ("depth", cut.array.shape[0])):
        ElementTree.SubElement(size, key).text = str(value)
    for corners, value in zip(cut.boxes, cut.values, strict=True):
        item = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(item, "name").text = str(int(value))
        frame = ElementTree.SubElement(item, "bndbox")
        for key, corner in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True):
            ElementTree.SubElement(frame, key).text = f"{corner:.2f}"
    ElementTree.indent(root)
    xml: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml + b"\n"


@dataclass(frozen=True, slots=True)
class ChipFacts:
    """What the statistics need of a chip: pixels and objects by class value, areas of the objects in m²."""

    pixels: Mapping[int, int]
    objects: Mapping[int, int]
    areas: Mapping[int, NDArray[np.float64]]


def facts_of(cut: Cut) -> ChipFacts:
    """Return the facts of one chip."""
    known = cut.classes[cut.valid & cut.labelled]
    values, pixels = np.unique(known[known > 0], return_counts=True)
    kinds, objects = np.unique(cut.values, return_counts=True)
    return ChipFacts(
        pixels={int(value): int(count) for value, count in zip(values, pixels, strict=True)},
        objects={int(value): int(count) for value, count in zip(kinds, objects, strict=True)},
        areas={int(value): cut.areas_m2[cut.values == value] for value in kinds},
    )


def write_metadata(
    folder: Path,
    layout: Layout,
    chips: Sequence[ChipFile],
    facts: Sequence[ChipFacts],
    moments: Sequence[Moments],
) -> None:
    """Write Esri's four files: map.txt, the statistics as JSON and text, the model definition."""
    lines = [f"{windows(chip.image)}  {windows(chip.label)} \n" for chip in chips]
    (folder / MAP).write_text("".join(lines), newline="\n")
    stats = accumulated(layout, facts, moments)
    (folder / STATS).write_text(json.dumps(stats, indent=1))
    (folder / TEXT).write_text(stats_text(layout, stats), newline="\n")
    (folder / EMD).write_text(json.dumps(emd(layout, moments), indent=1))


def windows(path: str) -> str:
    """Return a relative path with back-slashes, as Pro writes it."""
    return str(PureWindowsPath(path))


def accumulated(layout: Layout, facts: Sequence[ChipFacts], moments: Sequence[Moments]) -> dict[str, Any]:
    """Return the content of esri_accumulated_stats.json."""
    values = [entry.value for entry in layout.classes]
    pixels = layout.format == "Classified_Tiles"
    images = [sum(1 for fact in facts if (fact.pixels if pixels else fact.objects).get(value)) for value in values]
    return {
        "Version": 1,
        "NumBands": len(layout.bands),
        "TileSizeX": layout.chip_px,
        "TileSizeY": layout.chip_px,
        "NumClasses": len(values),
        "NumTiles": len(facts),
        "OutputFeatures": not pixels,
        "MetaDataMode": layout.format,
        "Classes": [{"ClassValue": entry.value, "ClassName": entry.name} for entry in layout.classes],
        "BandStatsState": [
            {"Min": band.low, "Max": band.high, "M1": band.mean, "M2": band.squares, "Num": band.count}
            for band in moments
        ],
        "MinCellSize": {"x": layout.cell[0], "y": layout.cell[1]},
        "MaxCellSize": {"x": layout.cell[0], "y": layout.cell[1]},
    } | (
        {"ClassPixelStats": pixel_stats(values, facts, images)}
        if pixels
        else {"FeatureStats": feature_stats(values, facts, images)}
    )


def pixel_stats(values: Sequence[int], facts: Sequence[ChipFacts], images: Sequence[int]) -> dict[str, Any]:
    """Return Esri's ClassPixelStats."""
    per_image = [sum(1 for value in values if fact.pixels.get(value)) for fact in facts]
    counts = [[fact.pixels[value] for fact in facts if fact.pixels.get(value)] for value in values]
    return {
        "NumClasses": len(values),
        "NumImagesTotal": len(facts),
        "NumImagesPerClass": list(images),
        "NumPixelsPerClass": [sum(count) for count in counts],
        "NumClassesPerImage": summary(per_image),
        "PixelsPerClass": [summary(count) for count in counts],
    }


def feature_stats(values: Sequence[int], facts: Sequence[ChipFacts], images: Sequence[int]) -> dict[str, Any]:
    """Return Esri's FeatureStats."""
    per_class = [sum(fact.objects.get(value, 0) for fact in facts) for value in values]
    areas = [np.concatenate([np.zeros(0), *(fact.areas[v] for fact in facts if v in fact.areas)]) for v in values]
    return {
        "NumClasses": len(values),
        "NumImagesTotal": len(facts),
        "NumFeaturesTotal": sum(per_class),
        "NumImagesPerClass": list(images),
        "NumFeaturesPerClass": per_class,
        "NumFeaturesPerImage": summary([sum(fact.objects.values()) for fact in facts]),
        "FeatureAreaPerClass": [summary(area) for area in areas],
    }


def summary(values: Sequence[float] | NDArray[np.float64]) -> dict[str, float]:
    """Return Esri's Min, Max, Mean, Sum, Count of some numbers."""
    moments = Moments()
    moments.add(np.asarray(values, dtype=np.float64))
    return moments.summary


def stats_text(layout: Layout, stats: Mapping[str, Any]) -> str:
    """Return the content of stats.txt."""
    pixels = layout.format == "Classified_Tiles"
    inner = stats["ClassPixelStats" if pixels else "FeatureStats"]
    spread = inner["NumClassesPerImage" if pixels else "NumFeaturesPerImage"]
    size = f"{stats['NumBands']}*{stats['TileSizeX']}*{stats['TileSizeY']}"
    what = "classes per image" if pixels else "features per image"
    lines = [f"images = {stats['NumTiles']} *{size}"]
    if not pixels:
        lines.append(f"features = {inner['NumFeaturesTotal']}")
    ends = f"min = {spread['Min']:.0f}, mean = {spread['Mean']:.2f}, max = {spread['Max']:.0f}"
    lines += [f"{what} = [{ends}]", f"classes = {stats['NumClasses']}"]
    counted = "pixels" if pixels else "features"
    lines.append(row("cls name", "cls value", "images", counted, "min size", "mean size", "max size"))
    for index, entry in enumerate(layout.classes):
        sizes = inner["PixelsPerClass" if pixels else "FeatureAreaPerClass"][index]
        count = inner["NumPixelsPerClass" if pixels else "NumFeaturesPerClass"][index]
        numbers = [f"{sizes[key]:.2f}" for key in ("Min", "Mean", "Max")]
        lines.append(row(entry.name, str(entry.value), str(inner["NumImagesPerClass"][index]), str(count), *numbers))
    return "\n".join(lines) + "\n"


def row(*cells: str) -> str:
    """Return right-aligned columns."""
    return " ".join(cell.rjust(12) for cell in cells)


def emd(layout: Layout, moments: Sequence[Moments]) -> dict[str, Any]:
    """Return the content of esri_model_definition.emd with real values, as newer exports write it."""
    cell = {"x": layout.cell[0], "y": layout.cell[1], "spatialReference": reference(layout)}
    return {
        "ImageHeight": layout.chip_px,
        "ImageWidth": layout.chip_px,
        "MetaDataMode": layout.format,
        "ImageSpaceUsed": "MAP_SPACE" if layout.crs_wkt else "PIXEL_SPACE",
        "BlackenAroundFeature": False,
        "CropTileMode": "Fixed_Size",
        "IsMultidimensional": False,
        "MinCellSize": cell,
        "MaxCellSize": cell,
        "Classes": [
            {"Value": entry.value, "Name": entry.name, "Color": list(rgb(entry.colour))} for entry in layout.classes
        ],
        "InputRastersProps": {"RasterCount": 1, "SensorName": "", "BandNames": list(layout.bands)},
        "AllTilesStats": [
            {"BandName": name, "Min": band.low, "Max": band.high, "Mean": band.mean, "StdDev": band.std}
            for name, band in zip(layout.bands, moments, strict=True)
        ],
        "ExtractBands": list(range(len(layout.bands))),
    }


def reference(layout: Layout) -> dict[str, Any]:
    """Return the spatial reference as Esri's JSON."""
    if layout.epsg is None:
        return {"wkt": layout.crs_wkt} if layout.crs_wkt else {}
    # Esri's number of Web Mercator is older than EPSG's.
    return {"wkid": 102100 if layout.epsg == 3857 else layout.epsg, "latestWkid": layout.epsg}


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green, blue of #rrggbb."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def write_ours(folder: Folder) -> None:
    """Write `quadrat.json`."""
    values = asdict(folder)
    del values["path"]
    text = json.dumps({"schema": SCHEMA} | values, indent=1, sort_keys=True)
    (folder.path / OURS).write_text(text)


# --- reading -----------------------------------------------------------------------------------------------------


def read_folder(path: Path) -> Folder:
    """Return what a folder of training data holds: ours, or one that ArcGIS wrote.

    Raises:
        Invalid: no export of a known format; the text names what is missing.
    """
    missing = [name for name in (EMD, STATS, MAP) if not (path / name).is_file()]
    if missing:
        raise Invalid(
            f"'{path}' is no training data: {', '.join(missing)} missing.",
            fix="Give the folder that holds images/, labels/, map.txt and the two esri_ files.",
        )
    if not (path / OURS).is_file():
        return read_foreign(path)
    values = read_json(path / OURS)
    if values.get("schema") != SCHEMA:
        raise Invalid(f"{OURS} has schema {values.get('schema')!r}; this Quadrat reads {SCHEMA}.", fix="Export again.")
    return Folder(
        path=path,
        format=values["format"],
        classes=tuple(ClassName(**entry) for entry in values["classes"]),
        chips=tuple(ChipFile(**entry) for entry in values["chips"]),
        chip_px=values["chip_px"],
        bands=tuple(values["bands"]),
        dtype=values["dtype"],
        resolution_m=values["resolution_m"],
        mean=tuple(values["mean"]),
        std=tuple(values["std"]),
        split=values["split"],
        source=values["source"],
    )


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        Invalid: the file is not one.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise Invalid(f"'{path.name}' is not valid JSON: {error}.", fix="Export the training data again.") from error
    if not isinstance(value, dict):
        raise Invalid(f"'{path.name}' is not a JSON object.", fix="Export the training data again.")
    return value


def read_foreign(path: Path) -> Folder:
    """Return a folder written by ArcGIS. All chips are on the training side: `learn.prepare_data` splits them."""
    definition, stats = read_json(path / EMD), read_json(path / STATS)
    layout = definition.get("MetaDataMode") or stats.get("MetaDataMode")
    if layout not in TASKS:
        raise Invalid(f"The format {layout!r} is not read.", fix=f"Export as {' or '.join(TASKS)}.")
    chips = tuple(pairs(path))
    if not chips:
        raise Invalid(f"'{path / MAP}' names no chip.", fix="Export the training data again.")
    with Reader(path / chips[0].image) as reader:
        info = reader.info
    moments = measure(path, chips, info.count)
    names = definition.get("InputRastersProps", {}).get("BandNames") or list(info.descriptions)
    cell = definition.get("MinCellSize") or {}
    return Folder(
        path=path,
        format=layout,
        classes=tuple(foreign_class(entry) for entry in definition.get("Classes", []) if entry.get("Value")),
        chips=chips,
        chip_px=int(stats.get("TileSizeX", info.width)),
        bands=tuple(str(name) for name in names[: info.count]),
        dtype=info.dtype,
        resolution_m=ground_m(path / chips[0].image) or float(cell.get("x", 1.0)),
        mean=tuple(band.mean for band in moments),
        std=tuple(band.std for band in moments),
    )


def foreign_class(entry: Mapping[str, Any]) -> ClassName:
    """Return a class of an EMD; no colour is [-1, -1, -1] there."""
    colour = [int(part) for part in entry.get("Color", [])]
    known = len(colour) == 3 and all(0 <= part <= 255 for part in colour)
    return ClassName(
        int(entry["Value"]), str(entry["Name"]), "#{:02x}{:02x}{:02x}".format(*colour) if known else "#888888"
    )


def pairs(path: Path) -> Iterable[ChipFile]:
    """Yield the chips that map.txt names; a path that leaves the folder is refused."""
    for line in (path / MAP).read_text(encoding="utf-8-sig").splitlines():
        parts = [part.replace("\\", "/") for part in line.split()]
        if len(parts) != 2:
            continue
        for part in parts:
            if not (path / part).resolve().is_relative_to(path.resolve()):
                raise Invalid(f"map.txt names {part!r}, outside the folder.", fix="Export the training data again.")
        yield ChipFile(Path(parts[0]).stem, "train", parts[0], parts[1])


def measure(path: Path, chips: Sequence[ChipFile], bands: int) -> list[Moments]:
    """Return the statistics per band over the valid pixels of some chips."""
    moments = [Moments() for _ in range(bands)]
    for chip in chips:
        array, valid = read_image(path / chip.image)
        for band, moment in zip(array, moments, strict=True):
            moment.add(band[valid])
    return moments


def ground_m(path: Path) -> float | None:
    """Return the ground size of a chip's pixel, or None where it has no CRS."""
    from webapp.raster.shapes import pixel_size_m

    with Reader(path) as reader:
        return pixel_size_m(reader.info) if reader.info.crs_wkt else None


def read_image(path: Path) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return a chip's pixels (band, row, col) and which are valid (row, col)."""
    with Reader(path) as reader:
        chip = reader.read(reader.whole)
    return chip.array, chip.valid


def read_classes(path: Path) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return a label chip's class values (row, col) and which pixels are labelled."""
    with Reader(path) as reader:
        chip = reader.read(reader.whole)
    return chip.array[0], chip.valid


def read_boxes(path: Path, names: Mapping[str, int]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return boxes (m, 4) xyxy and class values (m,) of a Pascal VOC file.

    Args:
        path: of the XML file.
        names: value by class name; a name of digits is the value itself. Other names are left out.

    Raises:
        Invalid: damaged, too large, or with a document type (entities could blow it up).
    """
    raw = path.read_bytes()
    if len(raw) > MAX_XML_BYTES or b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise Invalid(f"'{path.name}' is not read: too large, or with a document type.", fix="Export it again.")
    boxes, values = [], []
    try:
        for item in ElementTree.fromstring(raw).iter("object"):
            name = (item.findtext("name") or "").strip()
            value = int(name) if name.isdigit() else names.get(name)
            corners = [float(item.findtext(f"bndbox/{key}") or "nan") for key in ("xmin", "ymin", "xmax", "ymax")]
            if value is not None and corners[2] > corners[0] and corners[3] > corners[1]:
                boxes.append(corners)
                values.append(value)
    except (ElementTree.ParseError, ValueError) as error:
        raise Invalid(f"'{path.name}' is damaged: {error}.", fix="Export it again.") from error
    return np.asarray(boxes, dtype=np.float32).reshape(-1, 4), np.asarray(values, dtype=np.int64)
