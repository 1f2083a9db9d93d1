"""Places in a layer that are not open to every edge: whoever writes into a layer asks those who guard some of it.

A room that keeps places for itself registers a guard when it starts. It is asked in the writer's own transaction, once
for all that is to be written: under the layer's lock, or, where that takes so long that others would wait, before the
lock, and under it again if other places are closed by then. Deletions and changes of class move nothing and are not
asked about; a layer that is moved as a whole takes its guards' places along.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.gis.geos import GEOSGeometry

from webapp.errors import QuadratError
from webapp.features.models import FeatureLayer


@dataclass(frozen=True)
class Places:
    """Where somebody wants to write.

    Attributes:
        sql: rows with columns `id` (uuid) and `geometry` (EPSG:4326); it can stand after FROM.
        values: of its named parameters; none is called `layer`.
        were_there: the layer held each of them there before.
    """

    sql: str
    values: Mapping[str, Any] = field(default_factory=dict)
    were_there: bool = False


@dataclass(frozen=True)
class Guard:
    """Who keeps places for themselves.

    Attributes:
        refuse: returns which ids may not be written there, and why.
        state: returns a text that is another one when other places of the layer are closed.
    """

    refuse: Callable[[FeatureLayer, Places], Mapping[UUID, QuadratError]]
    state: Callable[[FeatureLayer], str]


_guards: list[Guard] = []


def register(guard: Guard) -> None:
    """Ask a guard from now on."""
    if guard not in _guards:
        _guards.append(guard)


def refused(layer: FeatureLayer, places: Places) -> dict[UUID, QuadratError]:
    """Return what may not be written, and why, by id.

    Asked under the layer's lock, the answer holds until the commit; asked before it, only if `state` is the same then.
    """
    found: dict[UUID, QuadratError] = {}
    for guard in _guards:
        found |= guard.refuse(layer, places)
    return found


def state(layer: FeatureLayer) -> list[str]:
    """Return what changes when other places of the layer are closed."""
    return [guard.state(layer) for guard in _guards]


def refused_shapes(layer: FeatureLayer, shapes: Mapping[UUID, GEOSGeometry]) -> dict[UUID, QuadratError]:
    """Return which of some shapes (EPSG:4326) may not be written, and why; nothing is asked where there is none."""
    if not shapes:
        return {}
    values = {"ids": list(shapes), "shapes": [shape.hex.decode() for shape in shapes.values()]}
    return refused(layer, Places(_SHAPES, values))


_SHAPES = """(SELECT id, ST_SetSRID(shape::geometry, 4326) AS geometry
    FROM unnest(%(ids)s::uuid[], %(shapes)s::text[]) AS given (id, shape))"""
