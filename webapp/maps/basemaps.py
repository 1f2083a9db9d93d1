"""Which basemap lies under a map or a page, as the browser draws it."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest

from webapp.errors import Invalid, NotFound
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import drawn_json
from webapp.maps import addresses
from webapp.maps.models import Basemap, Map

PLAIN = "plain"
OF_SETTINGS = "site:settings"
MOST_IMAGERY = 100


def basemap_json(row: Basemap) -> dict[str, Any]:
    """Return what a browser needs to draw the basemap; the key is in the address, where browsers need it."""
    shown: dict[str, Any] = {
        "choice": f"site:{row.pk}",
        "name": row.name,
        "kind": row.kind,
        "url": addresses.with_key(row.url, row.key),
        "subdomains": row.subdomains,
        "attribution": row.attribution,
        "attribution_url": row.attribution_url,
        "min_zoom": row.min_zoom,
        "max_zoom": row.max_zoom,
        "tile_size": row.tile_size,
    }
    if row.kind == Basemap.Kind.WMS:
        shown["wms"] = {"layers": row.wms_layers, "format": row.wms_format, "version": row.wms_version}
    return shown


def imagery_json(layer: ImageryLayer) -> dict[str, Any]:
    """Return an imagery layer as a basemap."""
    return {"choice": f"imagery:{layer.pk}", "name": layer.name, "kind": "imagery", "imagery": drawn_json(layer)}


def site_basemaps() -> list[dict[str, Any]]:
    """Return all basemaps of the site, the default first."""
    rows = sorted(Basemap.objects.all(), key=lambda row: not row.is_default)
    found = [basemap_json(row) for row in rows]
    if settings.BASEMAP_URL:
        chosen = bool(rows) and rows[0].is_default
        found.insert(1 if chosen else 0, _of_settings())
    return found


def site_default() -> dict[str, Any] | None:
    """Return the basemap under every map that chose none; None where the ground stays plain."""
    row = Basemap.objects.filter(is_default=True).first()
    if row is not None:
        return basemap_json(row)
    return _of_settings() if settings.BASEMAP_URL else None


def under(map: Map) -> dict[str, Any]:
    """Return `{choice, shown}` of a map; a basemap that is gone gives way to the site's default."""
    return {"choice": map.basemap, "shown": _chosen(map)}


def choices(map: Map) -> dict[str, Any]:
    """Return what the map may choose: basemaps of the site, scenes of its project, and what the default is."""
    scenes = ImageryLayer.objects.filter(
        project=map.project_id, kind=ImageryLayer.Kind.SCENE, state=ImageryLayer.State.READY
    )
    return {
        "default": site_default(),
        "site": site_basemaps(),
        "imagery": [imagery_json(row) for row in scenes.order_by("-created_at", "pk")[:MOST_IMAGERY]],
    }


def checked_choice(map: Map, choice: str) -> str:
    """Return a choice that the map may make.

    Raises:
        Invalid: it is none.
        NotFound: there is no such basemap, or the project has no such imagery.
    """
    if choice in ("", PLAIN, OF_SETTINGS):
        return choice
    kind, _, pk = choice.partition(":")
    try:
        found = kind in ("site", "imagery") and UUID(pk)
    except ValueError:
        found = False
    if not found:
        raise Invalid(f"'{choice[:60]}' is no basemap.", fix='Send "", "plain", "site:<id>" or "imagery:<id>".')
    if kind == "site" and not Basemap.objects.filter(pk=found).exists():
        raise NotFound("basemap")
    if kind == "imagery" and not ImageryLayer.objects.filter(pk=found, project=map.project_id).exists():
        raise NotFound("imagery layer")
    return f"{kind}:{found}"


def origins() -> list[str]:
    """Return the origins of all basemaps of the site, for the pages' content security policy."""
    named = Basemap.objects.values_list("url", "subdomains")
    return sorted({origin for url, subdomains in named for origin in addresses.origins(url, subdomains)})


def allow(request: HttpRequest) -> None:
    """Let the answer's page load pictures from the hosts of the site's basemaps."""
    setattr(request, "basemap_origins", origins())


def for_page(request: HttpRequest) -> dict[str, Any]:
    """Return the template's `basemap`, the site's default: a template that names it makes a page with a map."""

    def basemap() -> dict[str, Any] | None:
        allow(request)
        return site_default()

    return {"basemap": basemap}


def _chosen(map: Map) -> dict[str, Any] | None:
    kind, _, pk = map.basemap.partition(":")
    if map.basemap == PLAIN:
        return None
    if kind == "imagery":
        layer = ImageryLayer.objects.filter(pk=pk, project=map.project_id).first()
        if layer is not None:
            return imagery_json(layer)
    elif map.basemap == OF_SETTINGS and settings.BASEMAP_URL:
        return _of_settings()
    elif kind == "site" and map.basemap != OF_SETTINGS:
        row = Basemap.objects.filter(pk=pk).first()
        if row is not None:
            return basemap_json(row)
    return site_default()


def _of_settings() -> dict[str, Any]:
    return {
        "choice": OF_SETTINGS,
        "name": settings.BASEMAP_NAME,
        "kind": "xyz",
        "url": settings.BASEMAP_URL,
        "subdomains": "a,b,c",
        "attribution": settings.BASEMAP_ATTRIBUTION,
        "attribution_url": "",
        "min_zoom": 0,
        "max_zoom": 19,
        "tile_size": 256,
    }
