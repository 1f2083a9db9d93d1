"""What people drew and a model does not see: omission hunting the other way round, for the review."""

from dataclasses import dataclass
from typing import Any

from labeling import offsets, omissions
from labeling.models import LabelSet
from webapp.features.models import FeatureLayer

# Less than this share of a sample under the model's results: it does not see it.
SEEN = 0.3
# A point is seen where a result lies within so many metres.
NEAR_M = 2


@dataclass(frozen=True)
class Condition:
    """A condition on samples `f` in SQL, and the values of its named parameters."""

    sql: str
    values: dict[str, Any]


# The sample is brought to where the file says, where the model's results lie: those have an index.
_HERE = "ST_Transform(ST_Translate(ST_Transform(f.geometry, 3857), %(back_x)s, %(back_y)s), 4326)"
_UNSEEN = """f.class_value = ANY(%(known)s) AND ST_Intersects(%(looked)s::geometry, {here})
    AND CASE WHEN ST_Dimension(f.geometry) = 2 THEN
        coalesce((SELECT ST_Area(ST_Intersection(ST_Union(d.geometry), {here})) FROM features_feature d
            WHERE d.layer_id = %(results)s AND NOT d.deleted AND d.geometry && {here}), 0) < %(seen)s * ST_Area({here})
    ELSE NOT EXISTS (SELECT FROM features_feature d WHERE d.layer_id = %(results)s AND NOT d.deleted
        AND d.geometry && ST_Expand({here}, 1e-4)
        AND ST_DWithin(d.geometry::geography, {here}::geography, %(near_m)s))
    END"""


def condition(label_set: LabelSet, results: FeatureLayer) -> Condition:
    """Return what makes a sample one that a model does not see.

    Only where the model looked, and only of classes that it knows, by name: it says nothing of others.
    """
    shift = offsets.shift(label_set) if omissions.on_imagery(label_set, results) else None
    values = {
        "results": results.pk,
        "known": list(omissions.matching_classes(label_set, results).values()),
        "looked": _looked(results),
        "seen": SEEN,
        "near_m": NEAR_M,
    }
    if shift:
        values |= {"back_x": -shift.x, "back_y": -shift.y}
    return Condition(_UNSEEN.format(here=_HERE if shift else "f.geometry"), values)


def _looked(results: FeatureLayer) -> str:
    """Return where the model looked, as EWKT: the extent of its run, or where its results lie."""
    row = FeatureLayer.objects.filter(pk=results.pk).values_list("written_by__extent", "written_by__imagery__footprint")
    extent, footprint = row.get()
    found = extent or footprint
    if found is not None:
        return str(found.ewkt)
    west, south, east, north = results.west or 0, results.south or 0, results.east or 0, results.north or 0
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return f"SRID=4326;POLYGON(({', '.join(f'{x!r} {y!r}' for x, y in corners)}))"
