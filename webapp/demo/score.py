"""How good the demo's map is against labels that its model never saw."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from webapp.raster.shapes import to_crs


@dataclass(frozen=True)
class Score:
    """Agreement of two sets of areas within one extent. All are shares from 0 to 1.

    Attributes:
        iou: area in both through area in either.
        precision: share of the found area that is labelled.
        recall: share of the labelled area that is found.
        chance_iou: what calling everything a tree would score.
    """

    iou: float
    precision: float
    recall: float
    chance_iou: float


@dataclass(frozen=True)
class Measured:
    """A score, and how many labels it was measured against."""

    score: Score
    labels: int


def sentence(within: Measured, elsewhere: Measured, other: str) -> str:
    """Return both scores in words, the weak one as plainly as the good one.

    Args:
        within: in a part of the trained scene that was held out.
        elsewhere: in a scene of which nothing was trained on.
        other: that scene's name.
    """
    return (
        f"In the south of the scene, held out from training: {_words(within)}. "
        f"On “{other}”, which the model never saw: {_words(elsewhere)}, {_verdict(elsewhere.score)}. "
        "The labels are boxes around crowns, so even perfect crowns would score below 1."
    )


def _words(measured: Measured) -> str:
    found = measured.score
    return (
        f"IoU {found.iou:.2f} against {measured.labels} labels "
        f"(precision {found.precision:.2f}, recall {found.recall:.2f}; "
        f"calling everything a tree gives {found.chance_iou:.2f})"
    )


def _verdict(found: Score) -> str:
    if found.iou <= found.chance_iou:
        return "so it is of no use there yet: it needs labels of more places"
    return "better than nothing, and no promise for other places"


def areas(collection: dict[str, Any], epsg: int) -> list[BaseGeometry]:
    """Return the areas of a GeoJSON feature collection (EPSG:4326) in a CRS in metres."""
    found = [shape(feature["geometry"]) for feature in collection["features"] if feature["geometry"]]
    return [to_crs(geometry, 4326, epsg) for geometry in found if geometry.area > 0]


def score(found: Iterable[BaseGeometry], labelled: Iterable[BaseGeometry], extent: BaseGeometry) -> Score:
    """Return how well found areas cover labelled ones; overlaps within a set count once.

    Args:
        found, labelled: in one CRS in metres.
        extent: where to look; what lies outside counts for neither.
    """
    ours = shapely.union_all([shapely.make_valid(item) for item in found]).intersection(extent)
    truth = shapely.union_all([shapely.make_valid(item) for item in labelled]).intersection(extent)
    both, either = ours.intersection(truth).area, ours.union(truth).area
    return Score(
        iou=_share(both, either),
        precision=_share(both, ours.area),
        recall=_share(both, truth.area),
        chance_iou=_share(truth.area, extent.area),
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
