"""The OpenAPI document of the OGC routes. GDAL takes its page size from the maximum of `limit` here."""

from typing import Any

from webapp.ogc.crs import SUPPORTED
from webapp.ogc.selectors import DEFAULT_LIMIT, MAX_LIMIT
from webapp.ogc.tiles.matrix import SETS

CONFORMANCE = [
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    # Part 4 is a draft (1.0.0-draft.2): kept in this one place.
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/update",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/optimistic-locking-etags",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/features",
    *[
        f"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/{name}"
        for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "png", "jpeg", "oas30")
    ],
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixsetlimits",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
]


def document(root: str) -> dict[str, Any]:
    """Return OpenAPI 3.0; `root` is the landing page's absolute URL."""
    return {
        "openapi": "3.0.3",
        "info": {"title": "Quadrat feature layers and tiles", "version": "1.0.0", "license": {"name": "Apache-2.0"}},
        "servers": [{"url": root}],
        "security": [{"token": []}, {"basic": []}, {"address": []}, {"session": []}],
        "paths": {
            "/": _get("landing", "The landing page", "Landing page"),
            "/conformance": _get("conformance", "What is implemented", "Conformance classes"),
            "/api": _get("api", "This document", "OpenAPI 3.0"),
            "/collections": _get("collections", "The layers that you may see", "Collections"),
            "/collections/{collectionId}": {
                **_get("collection", "One layer", "Collection", ["404"]),
                "parameters": [_ref("collectionId")],
            },
            "/collections/{collectionId}/items": {"parameters": [_ref("collectionId")], **_items()},
            "/collections/{collectionId}/items/{featureId}": {
                "parameters": [_ref("collectionId"), _ref("featureId")],
                **_item(),
            },
            **_tiles(),
        },
        "components": {
            "parameters": _parameters(),
            "schemas": _schemas(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "Any name, an API token as password"},
                "address": {"type": "apiKey", "in": "query", "name": "access_token"},
                "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
            },
        },
    }


def _tiles() -> dict[str, Any]:
    """Return the paths of OGC API Tiles: vector tiles of feature layers, map tiles of imagery."""
    found: dict[str, Any] = {
        "/tileMatrixSets": _get("tileMatrixSets", "The tile matrix sets", "Tile matrix sets"),
        "/tileMatrixSets/{tileMatrixSetId}": {
            **_get("tileMatrixSet", "One tile matrix set", "Tile matrix set", ["404"]),
            "parameters": [_ref("tileMatrixSetId")],
        },
    }
    tile = ["tileMatrixSetId", "tileMatrix", "tileRow", "tileCol"]
    for name, place in (
        ("vector", "/collections/{collectionId}/tiles"),
        ("map", "/collections/{collectionId}/map/tiles"),
    ):
        own = [_ref("collectionId")]
        found[place] = {**_get(f"{name}TileSets", "A layer's tile sets", "Tile sets", ["404"]), "parameters": own}
        found[f"{place}/{{tileMatrixSetId}}"] = {
            **_get(f"{name}TileSet", "One tile set; f=tilejson as TileJSON", "Tile set", ["404"]),
            "parameters": [*own, _ref("tileMatrixSetId")],
        }
        found[f"{place}/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"] = {
            **_get(f"{name}Tile", "One tile; f is mvt, or png, jpg, webp", "Tile", ["400", "404"]),
            "parameters": [*own, *[_ref(item) for item in tile]],
        }
    return found


def _items() -> dict[str, Any]:
    query = ["limit", "bbox", "bbox-crs", "datetime", "crs", "after"]
    return {
        "get": {
            "operationId": "getItems",
            "summary": "Features of a layer, page by page",
            "parameters": [_ref(name) for name in query],
            "responses": {
                "200": _content("A page of features", "featureCollection", "application/geo+json"),
                **_errors("400", "401", "404"),
            },
        },
        "post": {
            "operationId": "createItem",
            "summary": "Add a feature",
            "parameters": [_ref("Idempotency-Key")],
            "requestBody": _body("feature", "application/geo+json"),
            "responses": {"201": {"description": "Created"}, **_errors("400", "401", "403", "404")},
        },
    }


def _item() -> dict[str, Any]:
    write = _errors("400", "401", "403", "404", "412", "428")
    return {
        "get": {
            "operationId": "getItem",
            "summary": "One feature",
            "parameters": [_ref("crs")],
            "responses": {
                "200": _content("The feature; its ETag names its version", "feature", "application/geo+json"),
                "304": {"description": "Not modified"},
                **_errors("400", "401", "404"),
            },
        },
        "put": {
            "operationId": "replaceItem",
            "summary": "Replace a feature",
            "parameters": [_ref("If-Match")],
            "requestBody": _body("feature", "application/geo+json"),
            "responses": {"200": _content("Replaced", "feature", "application/geo+json"), **write},
        },
        "patch": {
            "operationId": "updateItem",
            "summary": "Change parts of a feature",
            "parameters": [_ref("If-Match")],
            "requestBody": _body("feature", "application/merge-patch+json"),
            "responses": {"200": _content("Changed", "feature", "application/geo+json"), **write},
        },
        "delete": {
            "operationId": "deleteItem",
            "summary": "Delete a feature",
            "parameters": [_ref("If-Match")],
            "responses": {"204": {"description": "Deleted"}, **write},
        },
    }


def _parameters() -> dict[str, Any]:
    crs = {"type": "string", "format": "uri", "enum": list(SUPPORTED), "default": SUPPORTED[0]}
    number = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
    uuid = {"type": "string", "format": "uuid"}
    return {
        "collectionId": {"name": "collectionId", "in": "path", "required": True, "schema": uuid},
        "featureId": {"name": "featureId", "in": "path", "required": True, "schema": uuid},
        "tileMatrixSetId": _path("tileMatrixSetId", {"type": "string", "enum": list(SETS)}),
        **{name: _path(name, {"type": "integer", "minimum": 0}) for name in ("tileMatrix", "tileRow", "tileCol")},
        "limit": _query(
            "limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}, "Page size"
        ),
        "bbox": {**_query("bbox", number, "west,south,east,north"), "style": "form", "explode": False},
        "bbox-crs": _query("bbox-crs", crs, "CRS of bbox"),
        "crs": _query("crs", crs, "CRS of the answer"),
        "datetime": _query("datetime", {"type": "string"}, "Time of the last change: an instant or interval"),
        "after": _query("after", {"type": "integer", "minimum": 0}, "Set by `next` links: the page's start"),
        "If-Match": {
            "name": "If-Match",
            "in": "header",
            "required": True,
            "description": "The ETag that the change is based on, or *",
            "schema": {"type": "string"},
        },
        "Idempotency-Key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same key again does not create a second feature",
            "schema": {"type": "string", "maxLength": 200},
        },
    }


def _schemas() -> dict[str, Any]:
    links = {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["href"],
            "properties": {"href": {"type": "string"}, "rel": {"type": "string"}, "type": {"type": "string"}},
        },
    }
    feature = {
        "type": "object",
        "required": ["type", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "string", "format": "uuid"},
            "geometry": {"type": "object", "nullable": True},
            "properties": {"type": "object", "nullable": True, "additionalProperties": True},
            "links": links,
        },
    }
    return {
        "feature": feature,
        "featureCollection": {
            "type": "object",
            "required": ["type", "features"],
            "properties": {
                "type": {"type": "string", "enum": ["FeatureCollection"]},
                "features": {"type": "array", "items": {"$ref": "#/components/schemas/feature"}},
                "numberMatched": {"type": "integer", "minimum": 0},
                "numberReturned": {"type": "integer", "minimum": 0},
                "timeStamp": {"type": "string", "format": "date-time"},
                "links": links,
            },
        },
        "exception": {
            "type": "object",
            "required": ["code"],
            "properties": {"code": {"type": "string"}, "description": {"type": "string"}},
        },
    }


def _query(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": text, "schema": schema}


def _path(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _get(name: str, summary: str, answer: str, errors: list[str] | None = None) -> dict[str, Any]:
    responses = {"200": {"description": answer, "content": {"application/json": {}}}, **_errors(*(errors or []))}
    return {"get": {"operationId": name, "summary": summary, "responses": responses}}


def _errors(*statuses: str) -> dict[str, Any]:
    return {status: _content("Error", "exception", "application/json") for status in statuses}


def _content(text: str, schema: str, kind: str) -> dict[str, Any]:
    return {"description": text, "content": {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _body(schema: str, kind: str) -> dict[str, Any]:
    return {"required": True, "content": {kind: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{name}"}
