"""A STAC item of another server as we need it: when, whose, and which of its files are rasters. Pure: JSON in."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from webapp.errors import Invalid

MOST_ASSETS = 200
MOST_TEXT = 500
# Files that are offered: GeoTIFF by media type, or by name where an item gives no type.
TIFF_TYPES = ("image/tiff", "image/geotiff", "image/vnd.stac.geotiff")
TIFF_NAMES = (".tif", ".tiff")
OTHER_KINDS = {
    "Collection": "a STAC collection",
    "Catalog": "a STAC catalogue",
    "FeatureCollection": "a list of STAC items",
}
CREDITED = ("licensor", "producer", "processor", "host")


class BadItem(Invalid):
    """A document is no STAC item that can be used."""

    code = "bad_stac_item"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of an item.

    Attributes:
        key: its name in the item.
        href: absolute address.
        title: for people; may be empty.
        roles: such as data, thumbnail.
        raster: it looks like a GeoTIFF.
        bands: names of its bands in order; empty where the item does not tell.
    """

    key: str
    href: str
    title: str
    roles: tuple[str, ...]
    raster: bool
    bands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """An item.

    Attributes:
        title: or its id.
        datetime: when it was taken, as the item writes it; empty where it does not say.
        attribution: whose it is, with the licence.
        description: may be empty.
        assets: its files, rasters first.
    """

    id: str
    title: str
    datetime: str
    attribution: str
    description: str
    assets: tuple[Asset, ...]


def parse(text: bytes, url: str) -> Item:
    """Return the item of a document.

    Args:
        text: JSON.
        url: where it came from; addresses in it are relative to that.

    Raises:
        BadItem: it is none, or names no raster.
    """
    try:
        # A half surrogate is no character: nothing could be stored or sent on with it.
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadItem("The document at this address is no JSON.", fix="Give the address of a STAC item.") from error
    if not isinstance(found, dict) or found.get("type") != "Feature" or "stac_version" not in found:
        kind = OTHER_KINDS.get(str(found.get("type")), "no STAC item") if isinstance(found, dict) else "no STAC item"
        raise BadItem(f"The address leads to {kind}.", fix="Give the address of one STAC item.")
    version = str(found["stac_version"])
    if not version.startswith("1."):
        raise BadItem(f"The item is of STAC {version[:20]}.", fix="Items of STAC 1.0 and 1.1 are read.")
    assets = sorted(_assets(found.get("assets"), url), key=lambda asset: not asset.raster)
    if not any(asset.raster for asset in assets):
        raise BadItem("The item names no GeoTIFF.", fix="Choose another item, or give a file's own address.")
    properties = _mapping(found.get("properties"))
    name = _text(found.get("id")) or "item"
    return Item(
        id=name,
        title=_text(properties.get("title")) or name,
        datetime=_text(properties.get("datetime")) or _text(properties.get("start_datetime")),
        attribution=_attribution(properties, found.get("links")),
        description=_text(properties.get("description")),
        assets=tuple(assets),
    )


def _assets(found: Any, url: str) -> Iterator[Asset]:
    for key, asset in list(_mapping(found).items())[:MOST_ASSETS]:
        href = _mapping(asset).get("href")
        if not isinstance(href, str) or not href:
            continue
        try:
            address = urljoin(url, href)
        except ValueError:
            continue  # one asset that nobody can fetch does not make the others worse
        kind = str(asset.get("type") or "").partition(";")[0].strip().lower()
        named = href.partition("?")[0].lower().endswith(TIFF_NAMES)
        roles = asset.get("roles")
        yield Asset(
            key=str(key)[:200],
            href=address,
            title=_text(asset.get("title")),
            roles=tuple(_text(role) for role in roles) if isinstance(roles, list) else (),
            raster=kind in TIFF_TYPES or (not kind and named),
            bands=_bands(asset),
        )


def _bands(asset: Mapping[str, Any]) -> tuple[str, ...]:
    """Return band names: of STAC 1.1 (`bands`), or of the extension `eo` in 1.0."""
    for word in ("bands", "eo:bands"):
        rows = asset.get(word)
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
            names = [_band(row) for row in rows[:64]]
            return tuple(name or f"Band {number}" for number, name in enumerate(names, 1)) if any(names) else ()
    return ()


def _band(row: Mapping[str, Any]) -> str:
    """Return a band's name; a colour's common name goes first, as pictures are made by it."""
    common = _text(row.get("eo:common_name") or row.get("common_name"))
    return common if common in ("red", "green", "blue") else _text(row.get("name")) or common


def _attribution(properties: Mapping[str, Any], links: Any) -> str:
    own = _text(properties.get("attribution"))
    rows = properties.get("providers")
    providers = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    credited = [
        _text(row.get("name"))
        for role in CREDITED
        for row in providers
        if isinstance(row.get("roles"), list) and role in row["roles"]
    ][:3]
    whose = own or ", ".join(dict.fromkeys(filter(None, credited)))
    licence = _text(properties.get("license"))
    if licence in ("", "other", "various", "proprietary"):
        licence = _licence_link(links) or licence
    parts = [f"© {whose}" if whose and not whose.startswith(("©", "(c)")) else whose, licence]
    return ", ".join(part for part in parts if part)[:MOST_TEXT]


def _licence_link(links: Any) -> str:
    rows = [row for row in links if isinstance(row, dict)] if isinstance(links, list) else []
    found = next((row for row in rows if row.get("rel") == "license"), {})
    return _text(found.get("title")) or _text(found.get("href"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value.strip()[:MOST_TEXT] if isinstance(value, str) else ""
