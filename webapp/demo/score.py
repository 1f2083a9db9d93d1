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

    def sentence(self, labels: int) -> str:
        """Return the score in words."""
        return (
            f"Against {labels} held-out labels in the south of the scene: IoU {self.iou:.2f}, "
            f"precision {self.precision:.2f}, recall {self.recall:.2f} of tree area "
            f"(calling everything a tree: IoU {self.chance_iou:.2f}). "
            "The labels are boxes around crowns, so even perfect crowns would score below 1."
        )


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
