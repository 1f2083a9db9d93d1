"""What an export is asked to do: parsed from a form or a command, stored frozen with the training data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import shapely
from shapely.errors import GEOSException, ShapelyError
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from training.chips import Cutting, Format
from webapp.errors import Invalid

FORMATS: tuple[Format, ...] = get_args(Format)
# Corners of a drawn extent; more is no area that somebody labelled, but a layer.
MAX_CORNERS = 10_000
# What shapely raises on what is no GeoJSON; numbers of hundreds of digits overflow.
POLYGON_ERRORS = (
    *(ShapelyError, GEOSException, KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError),
)


@dataclass(frozen=True)
class ExportSpec:
    """How a label set becomes training data.

    Attributes:
        format: Esri's name of the folder layout.
        extent: in EPSG:4326, inside which everything is labelled; None: the bounds of the labels.
        validation: share of the chips held out.
    """

    format: Format = "Classified_Tiles"
    cutting: Cutting = field(default_factory=Cutting)
    extent: BaseGeometry | None = None
    validation: float = 0.2
    seed: int = 42

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> "ExportSpec":
        """Return the spec of a JSON object; what is absent takes its default.

        Raises:
            Invalid: an unknown key, or a value of another type or out of range.
        """
        known = {"metadata_format", "extent", "validation", "seed", "bands", *CUTTING}
        unknown = sorted(set(values) - known)
        if unknown:
            raise Invalid(f"The option {unknown[0]!r} is unknown.", fix=f"Use {', '.join(sorted(known))}.")
        layout = values.get("metadata_format", "Classified_Tiles")
        if layout not in FORMATS:
            raise Invalid(f"The format {layout!r} is unknown.", fix=f"Use {' or '.join(FORMATS)}.")
        chip_px = whole(values, "chip_px", 256)
        cutting = Cutting(
            chip_px=chip_px,
            stride_px=whole(values, "stride_px", chip_px),
            resolution_m=None if values.get("resolution_m") is None else real(values, "resolution_m", 0.0),
            bands=band_numbers(values.get("bands")),
            features_only=bool(values.get("features_only", False)),
            least_overlap=real(values, "least_overlap", 0.25),
        )
        validation = real(values, "validation", 0.2)
        if not 0 <= validation <= 0.5:
            raise Invalid(f"A validation share of {validation:g} is out of range.", fix="Use 0 to 0.5.")
        return cls(layout, cutting, polygon(values.get("extent")), validation, whole(values, "seed", 42))

    def as_json(self) -> dict[str, Any]:
        """Return what `parse` takes."""
        return {
            "metadata_format": self.format,
            "chip_px": self.cutting.chip_px,
            "stride_px": self.cutting.stride_px,
            "resolution_m": self.cutting.resolution_m,
            "bands": list(self.cutting.bands) if self.cutting.bands else None,
            "features_only": self.cutting.features_only,
            "least_overlap": self.cutting.least_overlap,
            "extent": None if self.extent is None else mapping(self.extent),
            "validation": self.validation,
            "seed": self.seed,
        }


CUTTING = ("chip_px", "stride_px", "resolution_m", "features_only", "least_overlap")


def whole(values: Mapping[str, Any], key: str, default: int) -> int:
    """Return a whole number of at most 9 digits."""
    value = values.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**9:
        raise Invalid(f"{key} is {value!r}.", fix="Give a whole number.")
    return value


def real(values: Mapping[str, Any], key: str, default: float) -> float:
    """Return a positive number or 0."""
    value = values.get(key, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e9:
        raise Invalid(f"{key} is {value!r}.", fix="Give a positive number.")
    return float(value)


def band_numbers(value: Any) -> tuple[int, ...] | None:
    """Return 1-based band numbers, None for all bands."""
    if value is None:
        return None
    fine = isinstance(value, list) and value and all(type(band) is int and 1 <= band <= 1000 for band in value)
    if not fine or len(set(value)) < len(value):
        raise Invalid(f"bands is {value!r}.", fix="Give distinct band numbers from 1 on, such as [1, 2, 3].")
    return tuple(value)


def polygon(value: Any) -> BaseGeometry | None:
    """Return a GeoJSON polygon in EPSG:4326, None for none."""
    if value is None:
        return None
    try:
        found = shape(value)
    except POLYGON_ERRORS as error:
        raise Invalid("The extent is no GeoJSON geometry.", fix="Give a Polygon or null.") from error
    corners = shapely.get_coordinates(found)
    if found.geom_type not in ("Polygon", "MultiPolygon") or not found.is_valid or len(corners) > MAX_CORNERS:
        raise Invalid("The extent is no valid polygon.", fix="Draw it again without crossing lines.")
    if found.is_empty or abs(corners[:, 0]).max() > 180 or abs(corners[:, 1]).max() > 90:
        raise Invalid("The extent is empty or outside the Earth.", fix="Give longitudes and latitudes in EPSG:4326.")
    return found
