"""What every reader gives and every writer takes: tables of rows, samples, and the pixel grid of the imagery."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from webapp.errors import BadVectors, Invalid

# More than a browser or a person can look through; a layer of detections this large is no import.
MAX_ROWS = 2_000_000
LONLAT = "EPSG:4326"
# Names under which our own exports keep what is not a property of the feature.
CLASS_VALUE, CLASS_NAME = "class_value", "class_name"
OWN_FIELDS = (CLASS_VALUE, CLASS_NAME, "score", "source", "verified")


@dataclass(frozen=True, slots=True)
class Grid:
    """The pixels of the imagery that labels were drawn on.

    Attributes:
        name: of the imagery.
        height: rows.
        width: columns.
        transform: affine a, b, c, d, e, f from pixel (col, row) to the CRS; (0, 0) is the upper left corner.
        crs: WKT or authority code.
        taken: when the picture was taken, ISO 8601; "" where nobody said.
    """

    name: str
    height: int
    width: int
    transform: tuple[float, ...]
    crs: str
    taken: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Grid":
        """Return the grid of its JSON form."""
        taken = str(value.get("taken", ""))
        return cls(value["name"], value["height"], value["width"], tuple(value["transform"]), value["crs"], taken)

    def as_json(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "name": self.name,
            "height": self.height,
            "width": self.width,
            "transform": list(self.transform),
            "crs": self.crs,
            "taken": self.taken,
        }

    @property
    def stem(self) -> str:
        """A file name without suffix, of letters that every system takes."""
        return plain_name(self.name)

    def to_ground(self, pixels: BaseGeometry) -> BaseGeometry:
        """Return a geometry in the grid's CRS of one in pixels (col, row)."""
        a, b, c, d, e, f = self.transform
        return affinity.affine_transform(pixels, [a, b, d, e, c, f])

    def to_pixels(self, lonlat: BaseGeometry) -> BaseGeometry:
        """Return a geometry in pixels (col, row) of one in EPSG:4326."""
        a, b, c, d, e, f = self.transform
        det = a * e - b * d
        ground = moved(lonlat, LONLAT, self.crs)
        inverse = [e / det, -b / det, -d / det, a / det, (b * f - c * e) / det, (c * d - a * f) / det]
        return affinity.affine_transform(ground, inverse)


@dataclass(frozen=True, slots=True)
class Row:
    """One feature of a file; geometry in the CRS of its table, None where the file has none."""

    geometry: BaseGeometry | None
    properties: dict[str, Any]


@dataclass(slots=True)
class Table:
    """One layer of a file.

    Attributes:
        name: of the layer, or of the image that labels belong to.
        rows: yields the features; may be called again.
        crs: WKT or authority code; "" where the file does not say.
        class_field: the property that names the class, where the format knows.
        notes: what was left out, for people.
    """

    name: str
    rows: Callable[[], Iterable[Row]]
    crs: str = ""
    class_field: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sample:
    """One feature of ours on its way out; geometry in EPSG:4326."""

    fid: int
    geometry: BaseGeometry
    class_value: int | None = None
    class_name: str | None = None
    score: float | None = None
    source: str = ""
    verified: bool = False
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Label:
    """One class of the schema on its way out; colour "#rrggbb"."""

    value: int
    name: str
    colour: str


@dataclass(slots=True)
class Task:
    """What a writer works on.

    Attributes:
        name: of the layer.
        samples: yields the same features each time it is called.
        classes: the schema.
        crs: of the file, where the format lets one choose.
        grid: of the imagery; None where there is none.
        folder: empty, for the file and what it is made of.
        attribution: of the layer.
        offset: {east_m, north_m, note}, how far the imagery was shown from where its file says; None: not at all.
        lost: what did not fit, with how often.
    """

    name: str
    samples: Callable[[], Iterator[Sample]]
    classes: list[Label]
    folder: Path
    crs: str = LONLAT
    grid: Grid | None = None
    attribution: str = ""
    offset: dict[str, Any] | None = None
    lost: Counter[str] = field(default_factory=Counter)

    @property
    def stem(self) -> str:
        """A file name without suffix."""
        return plain_name(self.name)

    @property
    def of_imagery(self) -> dict[str, str]:
        """What a file says of the imagery under the samples: its name and date, as far as they are known."""
        if self.grid is None:
            return {}
        return {"imagery": self.grid.name} | ({"imagery_date": self.grid.taken} if self.grid.taken else {})

    @property
    def pixels(self) -> Grid:
        """The grid of the imagery.

        Raises:
            Invalid: the layer stands on no imagery.
        """
        if self.grid is None:
            raise Invalid(
                "This format counts in pixels of an image, and the layer stands on none.",
                fix="Choose a format with coordinates on Earth, or export from a label set.",
                code="imagery_missing",
            )
        return self.grid


def plain_name(text: str) -> str:
    """Return a file name without suffix of ASCII letters, digits, dots and dashes; never empty, never hidden."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in text)
    return kept.strip("._")[:80] or "layer"


def class_key(value: Any) -> str:
    """Return a value that names a class as text: 3, 3.0 and "3" are the same."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def crs_of(text: str) -> CRS:
    """Return the CRS of WKT, PROJJSON or an authority code.

    Raises:
        BadVectors: it is not known.
    """
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise BadVectors(
            f"The CRS {text[:80]!r} is not known.", fix="Choose one by its EPSG code.", code="crs_unknown"
        ) from error


def moved(geometry: BaseGeometry, here: str, there: str) -> BaseGeometry:
    """Return a geometry in another CRS, (x, y) order; what lies outside of that becomes infinite."""
    if here == there:
        return geometry
    change = transformer(here, there)
    if change is None:
        return geometry

    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(change.transform(points[:, 0], points[:, 1]))

    return shapely.transform(geometry, move)


_transformers: dict[tuple[str, str], Transformer | None] = {}


def transformer(here: str, there: str) -> Transformer | None:
    """Return what turns (x, y) of one CRS into those of another; None where they are the same."""
    key = (here, there)
    if key not in _transformers:
        source, target = crs_of(here), crs_of(there)
        # "Same" but for the order of axes, which we never take from the definition.
        same = source.equals(target, ignore_axis_order=True)
        _transformers[key] = None if same else Transformer.from_crs(source, target, always_xy=True)
    return _transformers[key]
