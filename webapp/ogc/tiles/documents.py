"""Tile sets as OGC API Tiles 1.0 and TileJSON 3.0.0 describe them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from webapp.imagery.selectors import Bounds
from webapp.ogc.crs import CRS84, MERCATOR
from webapp.ogc.responses import link
from webapp.ogc.tiles.matrix import SETS, MatrixSet, limits

REL = "http://www.opengis.net/def/rel/ogc/1.0"
MVT = "application/vnd.mapbox-vector-tile"


@dataclass(frozen=True)
class TileSource:
    """A layer whose tiles are described.

    Attributes:
        kind: "map" for pictures, "vector" for features.
        box: (west, south, east, north) in degrees, west <= east.
        middle: (lon, lat), where to look first.
        forms: short name -> media type of what its tiles come as, the usual one first.
        fields: of a feature layer, name -> JSON schema.
    """

    pk: UUID
    name: str
    description: str
    attribution: str
    kind: str
    box: Bounds
    middle: tuple[float, float]
    max_zoom: int
    forms: dict[str, str]
    fields: dict[str, Any]

    def place(self, base: str) -> str:
        """Return the absolute URL of the list of its tile sets; `base` is the landing page's."""
        return f"{base}/collections/{self.pk}/{'map/tiles' if self.kind == 'map' else 'tiles'}"

    def sets(self) -> list[MatrixSet]:
        """Return the tile matrix sets that its tiles come in: vector tiles have no pixels to double."""
        return [found for found in SETS.values() if self.kind == "map" or found.uri]


def tile_template(source: TileSource, matrices: MatrixSet, base: str, form: str, names: tuple[str, str, str]) -> str:
    """Return the template of the tiles' URLs; `names` are what stands for zoom, row and column."""
    z, row, col = (f"{{{name}}}" for name in names)
    return f"{source.place(base)}/{matrices.id}/{z}/{row}/{col}?f={form}"


def tileset(source: TileSource, matrices: MatrixSet, base: str, templates: dict[str, str]) -> dict[str, Any]:
    """Return one tile set with its limits; `templates` are the tiles' URLs by short name of the format."""
    west, south, east, north = source.box
    place = f"{source.place(base)}/{matrices.id}"
    return {
        **_head(source, matrices),
        "description": source.description,
        "attribution": source.attribution,
        "boundingBox": {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84},
        "centerPoint": {
            "coordinates": list(source.middle),
            "crs": CRS84,
            "tileMatrix": str(max(0, source.max_zoom - 2)),
        },
        "tileMatrixSetLimits": [_limit(source, z) for z in range(source.max_zoom + 1)],
        **({} if source.kind == "map" else {"layers": [_layer(source)]}),
        "links": [
            link(place, "self"),
            link(f"{place}?f=tilejson", "alternate", title="TileJSON"),
            link(f"{base}/tileMatrixSets/{matrices.id}", f"{REL}/tiling-scheme"),
            *[
                {**link(templates[form], "item", media, f"Tiles as {form}"), "templated": True}
                for form, media in source.forms.items()
            ],
        ],
    }


def tilesets(source: TileSource, base: str) -> dict[str, Any]:
    """Return the list of a layer's tile sets."""
    place = source.place(base)
    rows = [
        {
            **_head(source, found),
            "links": [
                link(f"{place}/{found.id}", "self"),
                link(f"{base}/tileMatrixSets/{found.id}", f"{REL}/tiling-scheme"),
            ],
        }
        for found in source.sets()
    ]
    return {
        "tilesets": rows,
        "links": [link(place, "self"), link(f"{base}/collections/{source.pk}", "collection")],
    }


def tilejson(source: TileSource, template: str, version: int) -> dict[str, Any]:
    """Return TileJSON 3.0.0; `template` has {z}, {y}, {x}."""
    west, south, east, north = source.box
    fields = {name: str(schema.get("type", "")) for name, schema in source.fields.items()}
    layers = [{"id": "features", "fields": fields, "minzoom": 0, "maxzoom": source.max_zoom}]
    return {
        "tilejson": "3.0.0",
        "name": source.name,
        "description": source.description,
        "attribution": source.attribution,
        "version": f"{version}.0.0",
        "scheme": "xyz",
        "tiles": [template],
        "minzoom": 0,
        "maxzoom": source.max_zoom,
        "bounds": [west, south, east, north],
        "center": [*source.middle, max(0, source.max_zoom - 2)],
        **({} if source.kind == "map" else {"vector_layers": layers}),
    }


def _head(source: TileSource, matrices: MatrixSet) -> dict[str, Any]:
    return {
        "title": source.name,
        "dataType": source.kind,
        "crs": MERCATOR,
        "tileMatrixSetId": matrices.id,
        **({"tileMatrixSetURI": matrices.uri} if matrices.uri else {}),
    }


def _limit(source: TileSource, z: int) -> dict[str, Any]:
    found = limits(source.box, z)
    return {
        "tileMatrix": str(z),
        "minTileRow": found.min_row,
        "maxTileRow": found.max_row,
        "minTileCol": found.min_col,
        "maxTileCol": found.max_col,
    }


def _layer(source: TileSource) -> dict[str, Any]:
    return {
        "id": "features",
        "title": source.name,
        "dataType": "vector",
        "minTileMatrix": "0",
        "maxTileMatrix": str(source.max_zoom),
        "propertiesSchema": {"type": "object", "properties": source.fields},
    }
