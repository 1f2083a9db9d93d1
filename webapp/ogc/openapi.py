"""The OpenAPI document of the OGC routes. GDAL takes its page size from the maximum of `limit` here."""

from typing import Any

from webapp.ogc.crs import SUPPORTED
from webapp.ogc.selectors import DEFAULT_LIMIT, MAX_LIMIT

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
]


def document(root: str) -> dict[str, Any]:
    """Return OpenAPI 3.0; `root` is the landing page's absolute URL."""
    return {
        "openapi": "3.0.3",
        "info": {"title": "Quadrat feature layers", "version": "1.0.0", "license": {"name": "Apache-2.0"}},
        "servers": [{"url": root}],
        "security": [{"token": []}, {"session": []}],
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
        },
        "components": {
            "parameters": _parameters(),
            "schemas": _schemas(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
            },
        },
    }


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
