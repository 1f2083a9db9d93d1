"""MosaicJSON 0.0.3, out and in: which scenes lie on which quadkey (github.com/developmentseed/mosaicjson-spec)."""

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from webapp.errors import Invalid
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import analysis_file, box_of, middle
from webapp.projects.models import Project

VERSION = "0.0.3"
VERSIONS = ("0.0.1", "0.0.2", "0.0.3")
# Entries of all quadkeys together, written and read: a document that a browser still shows.
MOST_WRITTEN = 4096
MOST_READ = 200_000
MOST_NAMED = 20
MAX_LAT = 85.0511
# How far a box may reach into a tile for rounding, in tiles.
ROUNDING = 1e-6
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# Our own addresses of a layer: its file, its page, its API, its STAC item.
_OURS = re.compile(
    rf"(?:/stac/files/(?P<file>{_ID.pattern})\.tif|/imagery/(?P<page>{_ID.pattern})/?"
    rf"|/api/imagery/(?P<api>{_ID.pattern})/?|/stac/collections/{_ID.pattern}/items/(?P<item>{_ID.pattern}))"
)


@dataclass(frozen=True, slots=True)
class Read:
    """What a MosaicJSON says.

    Attributes:
        scenes: ids of layers, the topmost first.
        name, description: of the mosaic; may be empty.
    """

    scenes: list[UUID]
    name: str
    description: str


def written(layer: ImageryLayer, origin: str) -> dict[str, Any]:
    """Return a mosaic as MosaicJSON; its assets are the scenes' files, which need the reader's right to see them.

    Args:
        layer: a mosaic; a scene that stays on another server is named by its address there.
        origin: of this site, as "https://host".

    Raises:
        BadRaster: the mosaic's file is missing.
    """
    from webapp.raster.mosaic.document import stored

    mosaic = stored(analysis_file(layer)).mosaic
    places = [(member.key, member.degrees) for member in mosaic.members]
    zoom = next(z for z in range(layer.max_zoom, -1, -1) if z == 0 or _entries(places, z) <= MOST_WRITTEN)
    elsewhere = _elsewhere(layer)
    files = f"{origin}/stac/files/"
    # A prefix goes before every asset: it is for mosaics whose files all lie here.
    here = files if elsewhere else ""
    tiles: dict[str, list[str]] = {}
    for key, box in places:
        for x, y in _tiles(box, zoom):
            tiles.setdefault(quadkey(x, y, zoom), []).append(elsewhere.get(key) or f"{here}{key}.tif")
    bounds = layer.footprint.extent if layer.footprint else (-180.0, -MAX_LAT, 180.0, MAX_LAT)
    lon, lat = middle(box_of(layer)) if layer.footprint else (0.0, 0.0)
    return {
        "mosaicjson": VERSION,
        "name": layer.name,
        "description": layer.description or f"By the rule '{layer.mosaic.rule}' where scenes overlap.",
        "version": f"1.0.{layer.version}",
        "attribution": layer.attribution,
        "minzoom": min(layer.min_zoom, zoom),
        "maxzoom": layer.max_zoom,
        "quadkey_zoom": zoom,
        "bounds": list(bounds),
        "center": [lon, lat, min(layer.min_zoom, zoom)],
        "asset_type": "COG",
        **({} if elsewhere else {"asset_prefix": files}),
        "data_type": layer.dtype,
        "tiles": dict(sorted(tiles.items())),
    }


def known_addresses(project: Project) -> dict[str, UUID]:
    """Return the ids of a project's scenes that stay on other servers, by their addresses there."""
    rows = ImageryLayer.objects.filter(project=project, remote__has_key="url").values_list("pk", "remote")
    return {remote["url"]: pk for pk, remote in rows}


def read(given: Any, *, origins: set[str], known: Mapping[str, UUID]) -> Read:
    """Return which of our layers a MosaicJSON names, in the order in which they lie on each other.

    Args:
        given: parsed JSON.
        origins: of this site; an address without one is ours, too.
        known: ids by addresses on other servers, see `known_addresses`.

    Raises:
        Invalid: no MosaicJSON, too large a one, or assets that are none of ours; `details["assets"]` names them.
    """
    if not isinstance(given, Mapping) or given.get("mosaicjson") not in VERSIONS:
        raise Invalid(
            "This is no MosaicJSON.", fix=f"Send one of version {', '.join(VERSIONS)}.", code="mosaicjson_invalid"
        )
    lists = _lists(given)
    if sum(len(assets) for assets in lists) > MOST_READ:
        raise Invalid("The MosaicJSON names too many assets.", fix=f"Keep to {MOST_READ:,}.", code="mosaicjson_invalid")
    prefix = given.get("asset_prefix") or ""
    whole = {asset: f"{prefix}{asset}" for assets in lists for asset in assets}
    ids = {asset: known.get(address) or _ours(address, origins) for asset, address in whole.items()}
    unknown = [whole[asset][:300] for asset, pk in ids.items() if pk is None]
    if unknown:
        raise Invalid(
            f"{len(unknown)} of its assets are no imagery of this site: {unknown[0]}"
            f"{' and others' if len(unknown) > 1 else ''}.",
            fix="Add these to the project first, then name them by their address here (/stac/files/<id>.tif).",
            code="asset_unknown",
            details={"assets": unknown[:MOST_NAMED], "count": len(unknown)},
        )
    named = [[UUID(str(ids[asset])) for asset in assets] for assets in lists]
    return Read(_stacked(named), _text(given.get("name")), _text(given.get("description")))


def quadkey(x: int, y: int, zoom: int) -> str:
    """Return the key of a tile: one digit a zoom level (Microsoft, "Bing Maps Tile System")."""
    return "".join(str((x >> level & 1) + 2 * (y >> level & 1)) for level in range(zoom - 1, -1, -1))


def _elsewhere(layer: ImageryLayer) -> dict[str, str]:
    """Return the addresses of scenes on other servers by id; one with secrets in it has none that may be told."""
    rows = layer.scenes.filter(scene__remote__has_key="url").values_list("scene_id", "scene__remote")
    return {str(pk): remote["url"] for pk, remote in rows if not remote["url"].endswith("?…")}


def _lists(given: Mapping[str, Any]) -> list[list[str]]:
    tiles = given.get("tiles")
    lists = list(tiles.values()) if isinstance(tiles, Mapping) else []
    whole = all(isinstance(assets, list) and all(isinstance(asset, str) for asset in assets) for assets in lists)
    if not any(lists) or not whole or not isinstance(given.get("asset_prefix") or "", str):
        raise Invalid(
            "The MosaicJSON has no tiles with assets.",
            fix='Send "tiles": {"<quadkey>": ["<address>", …]}.',
            code="mosaicjson_invalid",
        )
    return lists


def _ours(address: str, origins: set[str]) -> UUID | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.netloc and f"{parts.scheme}://{parts.netloc}".lower() not in origins:
        return None
    found = _OURS.fullmatch(parts.path)
    return None if found is None else UUID(next(text for text in found.groups() if text))


def _stacked(lists: list[list[UUID]]) -> list[UUID]:
    """Return all ids once, in an order that every list agrees with; where they disagree, as they first occur."""
    graph: dict[UUID, dict[UUID, None]] = {pk: {} for ids in lists for pk in ids}
    for ids in lists:
        for above, below in itertools.pairwise(ids):
            if above != below:
                graph[below][above] = None
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError:
        return list(graph)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _entries(places: list[tuple[str, tuple[float, float, float, float]]], zoom: int) -> int:
    total = 0
    for _, box in places:
        first_x, last_x, first_y, last_y = _range(box, zoom)
        total += (last_x - first_x + 1) * (last_y - first_y + 1)
    return total


def _tiles(box: tuple[float, float, float, float], zoom: int) -> Iterator[tuple[int, int]]:
    first_x, last_x, first_y, last_y = _range(box, zoom)
    for y in range(first_y, last_y + 1):
        for x in range(first_x, last_x + 1):
            yield x % 2**zoom, y


def _range(box: tuple[float, float, float, float], zoom: int) -> tuple[int, int, int, int]:
    """Return (first x, last x, first y, last y); x may go on beyond the world's edge, but not round it."""
    west, south, east, north = box
    most = 2**zoom - 1
    left, right = ((lon + 180) / 360 * 2**zoom for lon in (west, east))
    top, bottom = (_down(lat) * 2**zoom for lat in (north, south))
    first_x, first_y = math.floor(left + ROUNDING), min(most, math.floor(top + ROUNDING))
    last_x = min(math.ceil(right - ROUNDING) - 1, first_x + most)
    last_y = min(math.ceil(bottom - ROUNDING) - 1, most)
    return first_x, max(first_x, last_x), first_y, max(first_y, last_y)


def _down(lat: float) -> float:
    """Return how far down the Web Mercator square a latitude lies, 0 to 1."""
    cut = math.radians(min(MAX_LAT, max(-MAX_LAT, lat)))
    return (1 - math.asinh(math.tan(cut)) / math.pi) / 2
