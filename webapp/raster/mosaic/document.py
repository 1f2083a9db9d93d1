"""A mosaic as a file of ours: which rasters, on which grid, by which rule. It holds no pixels."""

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from webapp.errors import BadRaster
from webapp.raster.read import Transform
from webapp.raster.tiff import HALF_WORLD_M

SUFFIX = ".mosaic"
# What is shown where rasters lie over each other: the first with data, or one number of all, band by band.
Rule = Literal["first", "mean", "highest", "lowest"]
RULES: tuple[str, ...] = get_args(Rule)
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Member:
    """One raster of a mosaic.

    Attributes:
        key: what the caller calls it: the id of its layer.
        path: of its analysis file, relative to the folder of all files.
        display: of its display file, likewise; empty where that shows other bands or another stretch.
        box: (left, top, right, bottom) in pixels of the mosaic.
        degrees: (west, south, east, north); east goes on beyond 180 across the antimeridian.
    """

    key: str
    path: str
    display: str
    box: Box
    degrees: Box


@dataclass(frozen=True, slots=True)
class Overview:
    """The mosaic as one file, `factor` of its pixels to one of the file's along each side."""

    path: str
    factor: int


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Rasters read as one.

    Attributes:
        rule: what is shown where they overlap.
        members: the first lies on top.
        dtype: of the mosaic's pixels; a raster's numbers are never changed by it.
        bands: their names.
        overview: None until it is made.
    """

    rule: Rule
    crs_wkt: str
    epsg: int | None
    transform: Transform
    height: int
    width: int
    dtype: str
    bands: tuple[str, ...]
    members: tuple[Member, ...]
    overview: Overview | None = None

    def dumps(self) -> str:
        """Return the file's text; the same mosaic is the same text."""
        return json.dumps({"mosaic": 1, **asdict(self)}, sort_keys=True, separators=(",", ":"))

    @classmethod
    def loads(cls, text: str) -> Self:
        """Return the mosaic that a file's text describes.

        Raises:
            ValueError, KeyError, TypeError: it is none of ours.
        """
        found: dict[str, Any] = json.loads(text)
        if found.pop("mosaic") != 1:
            raise ValueError("another kind of mosaic")
        found["members"] = tuple(
            Member(**{**row, "box": tuple(row["box"]), "degrees": tuple(row["degrees"])}) for row in found["members"]
        )
        found["overview"] = Overview(**found["overview"]) if found["overview"] else None
        found["transform"], found["bands"] = tuple(found["transform"]), tuple(found["bands"])
        return cls(**found)

    @property
    def complete(self) -> bool:
        """True where the overview holds every pixel: nothing else need be opened."""
        return self.overview is not None and self.overview.factor == 1


class Stored:
    """A mosaic that lies in a file.

    Attributes:
        mosaic: what it says.
        root: the folder that its names are relative to.
    """

    def __init__(self, path: Path) -> None:
        try:
            self.mosaic = Mosaic.loads(path.read_text())
        except OSError as error:
            raise BadRaster(f"'{path.name}' cannot be read: {error.strerror}.", fix="Restore the file.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise BadRaster(f"'{path.name}' is no mosaic of ours.", fix="Make the mosaic again.") from error
        # It is kept as <root>/imagery/<two digits>/<hash>.mosaic.
        self.root = path.parents[2]
        self._boxes = np.array([member.box for member in self.mosaic.members], float).reshape(-1, 4)
        self._degrees = np.array([member.degrees for member in self.mosaic.members], float).reshape(-1, 4)

    def file(self, name: str) -> Path:
        """Return the path of a file that the mosaic names."""
        return self.root / name

    def within(self, left: float, top: float, right: float, bottom: float) -> list[Member]:
        """Return the members that meet a box of the mosaic's pixels, the first on top."""
        boxes = self._boxes
        met = (boxes[:, 0] < right) & (boxes[:, 2] > left) & (boxes[:, 1] < bottom) & (boxes[:, 3] > top)
        return self._chosen(met)

    def at_tile(self, z: int, x: int, y: int) -> list[Member]:
        """Return the members that meet a Web Mercator tile, the first on top."""
        west, north = _lonlat(z, x, y)
        east, south = _lonlat(z, x + 1, y + 1)
        boxes = self._degrees
        met = np.zeros(len(boxes), bool)
        for turn in (0.0, 360.0):
            met |= (boxes[:, 0] < east + turn) & (boxes[:, 2] > west + turn)
        return self._chosen(met & (boxes[:, 1] < north) & (boxes[:, 3] > south))

    def at_place(self, lon: float, lat: float) -> list[Member]:
        """Return the members whose box holds a place, the first on top."""
        boxes = self._degrees
        met = np.zeros(len(boxes), bool)
        for turn in (0.0, 360.0):
            met |= (boxes[:, 0] <= lon + turn) & (boxes[:, 2] >= lon + turn)
        return self._chosen(met & (boxes[:, 1] <= lat) & (boxes[:, 3] >= lat))

    def _chosen(self, met: NDArray[np.bool_]) -> list[Member]:
        return [member for member, chosen in zip(self.mosaic.members, met.tolist(), strict=True) if chosen]


@lru_cache(maxsize=64)
def stored(path: Path) -> Stored:
    """Return the mosaic in a file; its name is the hash of what it says, so it is read once.

    Raises:
        BadRaster: it is gone, or is none of ours.
    """
    return Stored(path)


def _lonlat(z: int, x: int, y: int) -> tuple[float, float]:
    """Return (lon, lat) of a tile's north-west corner."""
    mercator = HALF_WORLD_M * (1 - 2 * y / 2**z)
    lat = float(np.degrees(np.arctan(np.sinh(mercator / HALF_WORLD_M * np.pi))))
    return 360.0 * x / 2**z - 180.0, lat
