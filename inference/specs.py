"""What one asks of an inference. Frozen with it, defaults filled in, so that a later attempt does the same."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from inference.plan import ALIGN_PX
from webapp.errors import Invalid

# Class rasters are one byte; 255 is nodata.
MAX_CLASS_VALUE = 254


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of an inference.

    Attributes:
        threshold: lowest score of an object, or lowest probability of a class that is not background.
        max_overlap: intersection over union above which two objects of one class are one.
        halo_px: pixels around a chip that are thrown away; None: what the package says.
        core_px: side of what is kept of a chip, for pixels; smaller ones need less memory. None: chosen.
        block_px: side of a block, the unit that is stored; rounded to whole chips. None: chosen.
        stitch: `trim`, or `blend` for networks that see further than the halo (slower).
        polygons: make polygons of the class raster.
        min_area_m2: smaller polygons are left out, smaller holes are filled.
        simplify_px: largest distance of a simplified outline from the pixels; 0 keeps every corner.
    """

    threshold: float = 0.0
    max_overlap: float = 0.3
    halo_px: int | None = None
    core_px: int | None = None
    block_px: int | None = None
    stitch: str = "trim"
    polygons: bool = True
    min_area_m2: float = 0.0
    simplify_px: float = 1.0

    @classmethod
    def parse(cls, values: Mapping[str, Any], *, task: str) -> Self:
        """Return settings from JSON; what is absent takes the task's default.

        Raises:
            Invalid: an unknown name, or a value out of its range.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise Invalid(
                f"There is no setting {', '.join(repr(name[:40]) for name in unknown)}.",
                fix=f"Use {', '.join(sorted(known))}.",
            )
        default = {"threshold": 0.5} if task == "detect_objects" else {}
        return cls(**{name: CHECKS[name](name, value) for name, value in {**default, **values}.items()})

    def as_json(self) -> dict[str, Any]:
        """Return what `parse` reads."""
        return asdict(self)


def _number(low: float, high: float) -> Callable[[str, Any], float]:
    def check(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Invalid(f"{name} is {value!r}, no number.", fix=f"Give a number from {low:g} to {high:g}.")
        if not low <= value <= high:
            raise Invalid(f"{name} is {value:g}.", fix=f"Give a number from {low:g} to {high:g}.")
        return float(value)

    return check


def _pixels(low: int, high: int) -> Callable[[str, Any], int | None]:
    def check(name: str, value: Any) -> int | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high or value % ALIGN_PX:
            raise Invalid(f"{name} is {value!r}.", fix=f"Give a multiple of {ALIGN_PX} from {low} to {high}, or null.")
        return value

    return check


def _stitch(name: str, value: Any) -> str:
    if value not in ("trim", "blend"):
        raise Invalid(f"{name} is {value!r}.", fix="Use trim or blend.")
    return str(value)


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"{name} is {value!r}.", fix="Use true or false.")
    return value


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "threshold": _number(0.0, 1.0),
    "max_overlap": _number(0.0, 1.0),
    "halo_px": _pixels(0, 1024),
    "core_px": _pixels(64, 4096),
    "block_px": _pixels(64, 16384),
    "stitch": _stitch,
    "polygons": _switch,
    "min_area_m2": _number(0.0, 1e9),
    "simplify_px": _number(0.0, 20.0),
}
