"""How far two sets of samples of one place agree: shapes matched by overlap, F1, and Cohen's kappa by area.

Pure: shapely and scipy only. All measures are ratios of areas on a plane that touches the ellipsoid at the cell's
centre; within a cell of a few kilometres its scale is the same everywhere to better than one part in a thousand.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely
from shapely.affinity import affine_transform
from shapely.geometry.base import BaseGeometry

from labeling.matching import assign, overlaps

# Two shapes are the same object from this overlap on: intersection over union, as in Pascal VOC (Everingham et al.
# 2010, section 4.2) and panoptic quality (Kirillov et al. 2019).
MATCH_IOU = 0.5
# What overlaps less, but by this much, is shown as one object drawn differently; figures count it as two.
NEAR_IOU = 0.1
# Points and lines have no area: they are compared as if drawn with a pen of this radius, metres.
PEN_M = 2.0
# In the areas: the ground that is in no sample, and samples without a class.
NOTHING, NO_CLASS = -1, 0
# WGS 84: semi-major axis in metres, first eccentricity squared.
_A, _E2 = 6_378_137.0, 6.694379990141e-3


@dataclass(frozen=True)
class Shape:
    """A sample that is compared; the geometry is in EPSG:4326."""

    id: str
    geometry: BaseGeometry
    class_value: int | None


@dataclass(frozen=True)
class Pair:
    """The same object in both sets.

    Attributes:
        iou: intersection over union, 0.1 to 1.
    """

    a: Shape
    b: Shape
    iou: float


@dataclass(frozen=True)
class Comparison:
    """Two sets of samples of one place, `a` and `b`.

    Attributes:
        pairs: each shape is in one at most; the total overlap is the largest possible.
        only_a, only_b: shapes without a partner.
        border: ids of those that belong to a neighbouring cell: there lies a point well inside them (of a pair: inside
            what both cover). As objects they count there; here only the ground that they cover counts.
        areas: square metres by (class in a, class in b); `NOTHING` is ground in no sample.
    """

    pairs: list[Pair]
    only_a: list[Shape]
    only_b: list[Shape]
    border: set[str] = field(default_factory=set)
    areas: dict[tuple[int, int], float] = field(default_factory=dict)


def compare(cell: BaseGeometry, a: Sequence[Shape], b: Sequence[Shape]) -> Comparison:
    """Return which shapes of two people are the same, and on how much ground they agree.

    Shapes are matched in two rounds, first those that overlap by half or more, then what overlaps by a tenth, each
    by the assignment with the largest total overlap (Hungarian algorithm), whatever their classes.

    Args:
        cell: the ground that both looked at, EPSG:4326.
        a: the samples of one.
        b: the samples of the other.
    """
    plane = _plane(cell)
    ground = affine_transform(cell, plane)
    flat_a, flat_b = [_flat(one, plane) for one in a], [_flat(one, plane) for one in b]
    iou = overlaps(flat_a, flat_b)
    found = assign(iou, MATCH_IOU)
    taken_a, taken_b = {i for i, _ in found}, {j for _, j in found}
    rest = {(i, j): value for (i, j), value in iou.items() if i not in taken_a and j not in taken_b}
    found += assign(rest, NEAR_IOU)
    taken_a, taken_b = {i for i, _ in found}, {j for _, j in found}
    alone = [(a[i], flat_a[i]) for i in range(len(a)) if i not in taken_a]
    alone += [(b[j], flat_b[j]) for j in range(len(b)) if j not in taken_b]
    inner: list[tuple[tuple[str, ...], BaseGeometry]] = [((one.id,), flat) for one, flat in alone]
    inner += [((a[i].id, b[j].id), flat_a[i].intersection(flat_b[j])) for i, j in found]
    return Comparison(
        pairs=[Pair(a[i], b[j], iou[i, j]) for i, j in sorted(found)],
        only_a=[one for i, one in enumerate(a) if i not in taken_a],
        only_b=[one for j, one in enumerate(b) if j not in taken_b],
        border={pk for ids, flat in inner if not ground.covers(flat.representative_point()) for pk in ids},
        areas=_areas(ground, _by_class(a, flat_a), _by_class(b, flat_b)),
    )


def alike(cell: BaseGeometry, a: Sequence[Shape], b: Sequence[Shape], least: float) -> list[tuple[str, str]]:
    """Return the ids of those of two sets that overlap by at least `least` (intersection over union), as (a, b)."""
    plane = _plane(cell)
    found = overlaps([_flat(one, plane) for one in a], [_flat(one, plane) for one in b])
    return [(a[i].id, b[j].id) for (i, j), iou in found.items() if iou >= least]


@dataclass
class Tally:
    """Counts that add up over tasks, and the figures that follow from them.

    Attributes:
        a, b: how many samples each has, by class.
        both: how many objects both have with that class (IoU of 0.5 or more).
        iou_sum: of those.
        areas: as in `Comparison`.
    """

    a: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    b: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    both: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    iou_sum: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    areas: dict[tuple[int, int], float] = field(default_factory=lambda: defaultdict(float))

    def add(self, other: "Tally") -> None:
        """Add another task's counts."""
        for name in ("a", "b", "both", "iou_sum", "areas"):
            mine = getattr(self, name)
            for key, value in getattr(other, name).items():
                mine[key] += value

    def turned(self) -> "Tally":
        """Return the counts with `a` and `b` in each other's place."""
        areas = {(j, i): m2 for (i, j), m2 in self.areas.items()}
        return Tally(a=self.b, b=self.a, both=self.both, iou_sum=self.iou_sum, areas=areas)

    def as_json(self) -> dict[str, Any]:
        """Return the counts as they are stored."""
        named = {name: {str(k): v for k, v in getattr(self, name).items()} for name in ("a", "b", "both", "iou_sum")}
        return {**named, "areas": [[i, j, m2] for (i, j), m2 in self.areas.items()]}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Tally":
        """Return the counts of a stored comparison."""
        found = cls()
        for name in ("a", "b", "both", "iou_sum"):
            getattr(found, name).update({int(key): value for key, value in stored[name].items()})
        found.areas.update({(int(i), int(j)): m2 for i, j, m2 in stored["areas"]})
        return found

    def figures(self) -> dict[str, Any]:
        """Return F1, mean IoU, precision, recall and kappa of all, and of each class against all others."""
        values = sorted(set(self.a) | set(self.b))
        return {**self._figures(None), "classes": [{"class_value": v, **self._figures(v)} for v in values]}

    def _figures(self, value: int | None) -> dict[str, Any]:
        def counted(of: dict[int, Any]) -> Any:
            return sum(of.values()) if value is None else of.get(value, 0)

        a, b, both = counted(self.a), counted(self.b), counted(self.both)
        areas = self.areas if value is None else _against_rest(self.areas, value)
        return {
            "a": a,
            "b": b,
            "both": both,
            # With a as the truth: what was found of it, and how much of what was found is true.
            "recall": both / a if a else None,
            "precision": both / b if b else None,
            "f1": 2 * both / (a + b) if a + b else None,
            "iou": counted(self.iou_sum) / both if both else None,
            "kappa": kappa(areas),
        }


def tally(comparison: Comparison) -> Tally:
    """Return the counts of one task. An object whose class differs counts for neither class as found by both."""
    found = Tally()
    for pair in comparison.pairs:
        if pair.a.id in comparison.border:
            continue
        found.a[_value(pair.a)] += 1
        found.b[_value(pair.b)] += 1
        if pair.iou >= MATCH_IOU and _value(pair.a) == _value(pair.b):
            found.both[_value(pair.a)] += 1
            found.iou_sum[_value(pair.a)] += pair.iou
    for shapes, counts in ((comparison.only_a, found.a), (comparison.only_b, found.b)):
        for one in shapes:
            if one.id not in comparison.border:
                counts[_value(one)] += 1
    found.areas.update(comparison.areas)
    return found


def kappa(areas: dict[tuple[int, int], float]) -> float | None:
    """Return Cohen's kappa (Cohen 1960) of a table of areas; None where chance alone explains everything.

    kappa = (p_o - p_e) / (1 - p_e): p_o is the share of the ground on which both say the same, p_e what chance would
    give from how often each says each class. Ground in no sample is a class of its own. With equal pixels instead of
    areas it is `sklearn.metrics.cohen_kappa_score`.
    """
    whole = sum(areas.values())
    if whole <= 0:
        return None
    rows: dict[int, float] = defaultdict(float)
    columns: dict[int, float] = defaultdict(float)
    for (i, j), m2 in areas.items():
        rows[i] += m2 / whole
        columns[j] += m2 / whole
    observed = sum(m2 for (i, j), m2 in areas.items() if i == j) / whole
    expected = sum(share * columns[i] for i, share in rows.items() if i in columns)
    return None if 1 - expected < 1e-12 else (observed - expected) / (1 - expected)


def _value(shape: Shape) -> int:
    return NO_CLASS if shape.class_value is None else shape.class_value


def _against_rest(areas: dict[tuple[int, int], float], value: int) -> dict[tuple[int, int], float]:
    found: dict[tuple[int, int], float] = defaultdict(float)
    for (i, j), m2 in areas.items():
        found[int(i == value), int(j == value)] += m2
    return found


def _plane(cell: BaseGeometry) -> list[float]:
    """Return the affine numbers that bring degrees to metres around the cell's centre (radii of curvature there)."""
    lon, lat = cell.centroid.x, cell.centroid.y
    sine = math.sin(math.radians(lat))
    east = math.radians(_A / math.sqrt(1 - _E2 * sine**2) * math.cos(math.radians(lat)))
    north = math.radians(_A * (1 - _E2) / (1 - _E2 * sine**2) ** 1.5)
    return [east, 0, 0, north, -lon * east, -lat * north]


def _flat(shape: Shape, plane: list[float]) -> BaseGeometry:
    flat = shapely.make_valid(affine_transform(shape.geometry, plane))
    return flat if flat.area > 0 else flat.buffer(PEN_M)


def _by_class(shapes: Iterable[Shape], flat: Iterable[BaseGeometry]) -> dict[int, BaseGeometry]:
    """Return the ground of each class; where classes overlap it is the one with the lowest value's."""
    parts: dict[int, list[BaseGeometry]] = defaultdict(list)
    for shape, one in zip(shapes, flat, strict=True):
        parts[_value(shape)].append(one)
    found: dict[int, BaseGeometry] = {}
    taken: BaseGeometry = shapely.Polygon()
    for value in sorted(parts):
        whole = shapely.union_all(parts[value])
        found[value] = whole.difference(taken)
        taken = taken.union(whole)
    return found


def _areas(
    ground: BaseGeometry, a: dict[int, BaseGeometry], b: dict[int, BaseGeometry]
) -> dict[tuple[int, int], float]:
    inside_a = {value: one.intersection(ground) for value, one in a.items()}
    inside_b = {value: one.intersection(ground) for value, one in b.items()}
    areas = {(i, j): one.intersection(other).area for i, one in inside_a.items() for j, other in inside_b.items()}
    for i, one in inside_a.items():
        areas[i, NOTHING] = max(0.0, one.area - sum(areas[i, j] for j in inside_b))
    for j, other in inside_b.items():
        areas[NOTHING, j] = max(0.0, other.area - sum(areas[i, j] for i in inside_a))
    areas[NOTHING, NOTHING] = max(0.0, ground.area - sum(areas.values()))
    return {key: m2 for key, m2 in areas.items() if m2 > 1e-9}
