"""The OpenAPI document of the STAC routes."""

from typing import Any

from webapp.ogc.stac.search import DEFAULT_LIMIT, MAX_LIMIT


def document(root: str) -> dict[str, Any]:
    """Return OpenAPI 3.0; `root` is the catalogue's absolute URL."""
    paging = ["bbox", "datetime", "limit", "token"]
    return {
        "openapi": "3.0.3",
        "info": {"title": "Quadrat imagery", "version": "1.0.0", "license": {"name": "Apache-2.0"}},
        "servers": [{"url": root}],
        "security": [{"bearer": []}, {"basic": []}, {"address": []}, {"session": []}],
        "paths": {
            "/": _get("landing", "The catalogue"),
            "/conformance": _get("conformance", "What is implemented"),
            "/api": _get("api", "This document"),
            "/collections": _get("collections", "The projects that you may see"),
            "/collections/{collectionId}": _get("collection", "One project", path=["collectionId"]),
            "/collections/{collectionId}/items": _get("items", "Its imagery", paging, ["collectionId"]),
            "/collections/{collectionId}/items/{featureId}": _get(
                "item", "One imagery layer", path=["collectionId", "featureId"]
            ),
            "/search": {
                **_get("search", "Search all imagery", [*paging, "ids", "collections", "intersects"]),
                "post": {
                    "operationId": "postSearch",
                    "summary": "Search all imagery",
                    "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                    "responses": {"200": {"description": "A page of items"}, **_problem()},
                },
            },
            "/files/{featureId}.tif": _get("file", "The layer's pixels; takes Range", path=["featureId"]),
        },
        "components": {
            "parameters": _parameters(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "Any name, an API token as password"},
                "address": {"type": "apiKey", "in": "query", "name": "access_token"},
                "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
            },
        },
    }


def _parameters() -> dict[str, Any]:
    uuid = {"type": "string", "format": "uuid"}
    words = {"type": "array", "items": {"type": "string"}}
    box = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    query: dict[str, tuple[str, dict[str, Any]]] = {
        "bbox": ("west,south,east,north", box),
        "datetime": ("An instant or interval of RFC 3339", {"type": "string"}),
        "limit": ("Page size", limit),
        "token": ("Set by `next` links", {"type": "string"}),
        "ids": ("Ids of items", words),
        "collections": ("Ids of collections", words),
        "intersects": ("A GeoJSON geometry", {"type": "string"}),
    }
    found = {
        name: {"name": name, "in": "query", "description": text, "schema": schema, "style": "form", "explode": False}
        for name, (text, schema) in query.items()
    }
    for name in ("collectionId", "featureId"):
        found[name] = {"name": name, "in": "path", "required": True, "schema": uuid}
    return found


def _get(name: str, summary: str, query: list[str] | None = None, path: list[str] | None = None) -> dict[str, Any]:
    parameters = [{"$ref": f"#/components/parameters/{item}"} for item in [*(path or []), *(query or [])]]
    responses = {"200": {"description": summary}, **_problem()}
    return {"get": {"operationId": name, "summary": summary, "parameters": parameters, "responses": responses}}


def _problem() -> dict[str, Any]:
    return {status: {"description": "{code, description}"} for status in ("400", "401", "404")}
