"""The API's documentation, from the URL map, the views' first lines and the route table."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from webapp.projects.routes import ROUTES, Rule

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Endpoint:
    """One method of one API route."""

    name: str
    method: str
    path: str
    summary: str
    who: str
    scope: str


@dataclass(frozen=True)
class Route:
    """One route of the URL map."""

    name: str
    path: str
    view: Any


def routes() -> list[Route]:
    """Return every route of the site but the administration's."""
    return list(_walk(get_resolver().url_patterns, "/"))


@cache
def endpoints() -> list[tuple[str, list[Endpoint]]]:
    """Return the API's endpoints by their first path part."""
    groups: dict[str, list[Endpoint]] = {}
    for route in routes():
        if route.path.startswith("/api/"):
            group = route.path.split("/")[2]
            groups.setdefault(group, []).extend(_endpoints_of(route))
    return sorted(groups.items())


def who(rule: Rule) -> str:
    """Return whom a rule lets in, in a word."""
    if rule.audience == "member":
        return rule.role.label
    return {"public": "anybody", "signed_in": "signed in", "staff": "staff", "link": "viewer, or by shared link"}[
        rule.audience
    ]


def describe_roles(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add to each operation of the OpenAPI document who may call it (a hook of drf-spectacular)."""
    by_place = {(row.path, row.method.lower()): row for _, rows in endpoints() for row in rows}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            row = by_place.get((path, method))
            if row is not None:
                operation["x-who"], operation["x-scope"] = row.who, row.scope
    return result


def _walk(patterns: Any, prefix: str) -> Any:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from _walk(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield Route(pattern.name or "", path, pattern.callback)


def _endpoints_of(route: Route) -> list[Endpoint]:
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)
    summary = (route.view.__doc__ or "").strip().split("\n")[0]
    rules = ROUTES.get(route.name, {})
    return [
        Endpoint(route.name, method, path, summary, who(rules[method]), rules[method].scope)
        for method in METHODS
        if method in rules
    ]
