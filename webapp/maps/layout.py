"""A map's layout: which layers it has, in which order and groups, and how each is shown. Written as a whole, so that
an editor's undo is the layout of before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from webapp.errors import Conflict, Invalid
from webapp.maps import basemaps, styles
from webapp.maps.models import Map, MapLayer
from webapp.maps.services import MAX_LAYERS, MAX_NAME, find_layer, map_number, touch

MAX_GROUP = 100


@dataclass(frozen=True)
class Placed:
    """One layer of a layout.

    Attributes:
        kind: "imagery" or "features".
        source: id of the imagery or feature layer; a map holds each once.
        group: name of the group it stands in; "" for none.
    """

    kind: str
    source: UUID
    title: str = ""
    visible: bool = True
    opacity: float = 1.0
    style: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""


def put_layout(*, map: Map, layers: Sequence[Placed], version: int, basemap: str | None = None) -> None:
    """Make these the map's layers, the first one at the bottom; layers of a group are brought together.

    Args:
        map: that the caller may edit.
        layers: all of them; those that the map had before and are not named are taken off.
        version: of the map that the caller changed.
        basemap: what lies under them, see `basemaps.checked_choice`; None leaves it.

    Raises:
        Conflict: the map has another version: somebody else changed it.
        Invalid: a layer twice, too many of them, or a title, opacity, style or basemap that cannot be.
        NotFound: the project has no such layer, or the site no such basemap.
    """
    _check(layers)
    with transaction.atomic():
        held = Map.objects.select_for_update().get(pk=map.pk)
        if held.version != version:
            raise Conflict(
                f"The map is at version {held.version}, not {version}: somebody else changed it.",
                fix="Look at the map as it is now, and change it again.",
                details={"version": held.version},
            )
        rows = {(row.imagery_id or row.features_id): row for row in MapLayer.objects.filter(map=map)}
        wanted = gathered(layers)
        MapLayer.objects.filter(
            map=map, pk__in=[row.pk for key, row in rows.items() if key not in _keys(wanted)]
        ).delete()
        for position, placed in enumerate(wanted):
            _put(map, rows.get(placed.source), placed, position)
        touch(map, **({} if basemap is None else {"basemap": basemaps.checked_choice(map, basemap)}))


def gathered(layers: Sequence[Placed]) -> list[Placed]:
    """Return the layers with those of a group together, at the place of the group's lowest."""
    order: dict[str, list[Placed]] = {}
    for number, placed in enumerate(layers):
        order.setdefault(placed.group or f"\0{number}", []).append(placed)
    return [placed for block in order.values() for placed in block]


def _keys(layers: Sequence[Placed]) -> set[UUID]:
    return {placed.source for placed in layers}


def _check(layers: Sequence[Placed]) -> None:
    if len(layers) > MAX_LAYERS:
        raise Invalid(f"{len(layers)} layers are too many.", fix=f"A map holds {MAX_LAYERS}.")
    if len(_keys(layers)) != len(layers):
        raise Invalid("A layer stands twice in this layout.", fix="Name each once.")
    for placed in layers:
        if len(placed.title) > MAX_NAME or len(placed.group) > MAX_GROUP:
            raise Invalid("A title or group's name is too long.", fix=f"Keep to {MAX_NAME} and {MAX_GROUP} characters.")
        if not map_number(placed.opacity) or not 0 <= placed.opacity <= 1:
            raise Invalid(f"An opacity of {placed.opacity} is not possible.", fix="Send 0 to 1.")


def _put(map: Map, row: MapLayer | None, placed: Placed, position: int) -> None:
    values: dict[str, Any] = {
        "position": position,
        "title": placed.title.strip(),
        "visible": placed.visible,
        "opacity": placed.opacity,
        "group": placed.group.strip(),
    }
    if row is not None and row.style == placed.style:
        MapLayer.objects.filter(pk=row.pk).update(**values)
        return
    source = find_layer(project_id=map.project_id, kind=placed.kind, pk=placed.source)
    values["style"] = styles.checked(placed.style, source)
    if row is not None:
        MapLayer.objects.filter(pk=row.pk).update(**values)
    else:
        MapLayer.objects.create(map=map, **{placed.kind: source}, **values)
