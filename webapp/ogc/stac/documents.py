"""Imagery as STAC 1.1: a project is a collection, an imagery layer an item."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.contrib.gis.db.models import Extent
from django.db.models import Max, Min, QuerySet
from pyproj import CRS

from webapp.imagery.models import ImageryLayer, MosaicScene
from webapp.imagery.selectors import box_of
from webapp.ogc.responses import GEOJSON, link
from webapp.projects.models import Project
from webapp.raster.canvas import fitting_size

VERSION = "1.1.0"
EXTENSIONS = "https://stac-extensions.github.io"
THUMBNAIL_PX = 256
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
# Names of bands that the extension `eo` 2.0 knows.
COMMON = {
    "pan", "coastal", "blue", "green", "green05", "yellow", "red", "rededge", "rededge071", "rededge075",
    "rededge078", "nir", "nir08", "nir09", "cirrus", "swir16", "swir22", "lwir", "lwir11", "lwir12",
}  # fmt: skip
# Where nobody said when a scene was taken, it was some time before it came here.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


def item(layer: ImageryLayer, root: str) -> dict[str, Any]:
    """Return a layer as an item; `root` is the catalogue's absolute URL without a slash at the end."""
    assert layer.footprint is not None
    place = f"{root}/collections/{layer.project_id}"
    classes = _classes(layer)
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": [
            f"{EXTENSIONS}/projection/v2.0.0/schema.json",
            f"{EXTENSIONS}/eo/v2.0.0/schema.json",
            f"{EXTENSIONS}/raster/v2.0.0/schema.json",
            f"{EXTENSIONS}/web-map-links/v1.2.0/schema.json",
            *([f"{EXTENSIONS}/classification/v2.0.0/schema.json"] if classes else []),
        ],
        "id": str(layer.pk),
        "collection": str(layer.project_id),
        "geometry": {"type": "MultiPolygon", "coordinates": layer.footprint.coords},
        "bbox": list(box_of(layer)),
        "properties": {**_properties(layer), **({"classification:classes": classes} if classes else {})},
        "links": [
            link(f"{place}/items/{layer.pk}", "self", GEOJSON),
            link(place, "parent"),
            link(place, "collection"),
            link(root, "root"),
            *_sources(layer, place),
            *_maps(layer, root.removesuffix("/stac")),
        ],
        "assets": _assets(layer, root.removesuffix("/stac")),
    }


def collection(project: Project, extent: dict[str, Any], root: str) -> dict[str, Any]:
    """Return a project as a collection; `extent` comes from `extents`."""
    place = f"{root}/collections/{project.pk}"
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "stac_extensions": [],
        "id": str(project.pk),
        "title": project.name,
        "description": project.description or f"Imagery of {project.name}.",
        "license": "other",
        "extent": extent,
        "links": [
            link(place, "self"),
            link(root, "root"),
            link(root, "parent"),
            link(f"{place}/items", "items", GEOJSON, "Its imagery"),
            link(f"{root.removesuffix('/stac')}/projects/{project.pk}/", "alternate", "text/html", "Its page"),
        ],
    }


def extents(layers: "QuerySet[ImageryLayer]") -> dict[Any, dict[str, Any]]:
    """Return the extent of each project's imagery by project id, in one query."""
    rows = layers.order_by().values("project").annotate(
        box=Extent("footprint"), since=Min("acquired_at"), until=Max("acquired_at")
    )  # fmt: skip
    return {row["project"]: _extent(row["box"], row["since"], row["until"]) for row in rows}


def no_extent() -> dict[str, Any]:
    """Return the extent of a project without imagery: STAC has no empty one."""
    return _extent((-180.0, -90.0, 180.0, 90.0), None, None)


def _extent(box: tuple[float, ...], since: datetime | None, until: datetime | None) -> dict[str, Any]:
    interval = [since and _time(since), until and _time(until)]
    return {"spatial": {"bbox": [list(box)]}, "temporal": {"interval": [interval]}}


def _properties(layer: ImageryLayer) -> dict[str, Any]:
    if layer.acquired_at is None:
        since, until = _taken(layer)
        when = {"datetime": None, "start_datetime": _time(since), "end_datetime": _time(until)}
    else:
        when = {"datetime": _time(layer.acquired_at)}
    a, b, c, d, e, f = layer.transform
    return {
        "title": layer.name,
        "description": layer.description or layer.name,
        **when,
        "created": _time(layer.created_at),
        "updated": _time(layer.updated_at),
        "gsd": layer.gsd_m,
        **({"attribution": layer.attribution} if layer.attribution else {}),
        "proj:code": f"EPSG:{layer.epsg}" if layer.epsg else None,
        **({"proj:wkt2": _wkt2(layer.crs_wkt)} if layer.crs_wkt and not layer.epsg else {}),
        "proj:shape": [layer.height, layer.width],
        "proj:transform": [a, b, c, d, e, f],
    }


def _taken(layer: ImageryLayer) -> tuple[datetime, datetime]:
    """Return between which moments imagery of no one date was taken; a mosaic's scenes say it where all have one."""
    dates = [row.scene.acquired_at for row in _scenes(layer)]
    known = [date for date in dates if date is not None]
    return (min(known), max(known)) if known and len(known) == len(dates) else (EARLIEST, layer.created_at)


def _scenes(layer: ImageryLayer) -> list[MosaicScene]:
    """Return a mosaic's places with their scenes; prefetched, where many layers are shown."""
    return list(layer.scenes.all()) if layer.kind == ImageryLayer.Kind.MOSAIC else []


def _sources(layer: ImageryLayer, place: str) -> list[dict[str, Any]]:
    """Return the items that a mosaic is made of."""
    return [link(f"{place}/items/{row.scene_id}", "derived_from", GEOJSON, row.scene.name) for row in _scenes(layer)]


def _assets(layer: ImageryLayer, origin: str) -> dict[str, Any]:
    page = {
        "href": f"{origin}/imagery/{layer.pk}/",
        "type": "text/html",
        "title": "Page of the layer",
        "roles": ["overview"],
    }
    if layer.kind == ImageryLayer.Kind.MOSAIC:
        listed = {
            "href": f"{origin}/api/imagery/{layer.pk}/mosaic.json",
            "type": "application/json",
            "title": "The scenes as MosaicJSON 0.0.3",
            "roles": ["index"],
        }
        return {"mosaic": listed, **_thumbnail(layer, origin), "page": page}
    if not layer.analysis_path:
        return {"page": page}
    return {
        **_data(layer, origin),
        **_thumbnail(layer, origin),
        "page": page,
    }


def _data(layer: ImageryLayer, origin: str) -> dict[str, Any]:
    """Return the asset of the pixels: our file, or the one on another server that is read there."""
    href, title = f"{origin}/stac/files/{layer.pk}.tif", "All bands as they came, cloud-optimised"
    if layer.remote:
        href, title = str(layer.remote["url"]), "All bands, on the server where they lie"
        if href.endswith("?…"):
            return {}  # signed for this site alone
    bands = [_band(layer, band) for band in layer.bands]
    return {"data": {"href": href, "type": COG, "title": title, "roles": ["data"], "bands": bands}}


def _thumbnail(layer: ImageryLayer, origin: str) -> dict[str, Any]:
    west, south, east, north = box_of(layer)
    if west >= east or south >= north:
        return {}  # across the antimeridian: the box would be drawn around the whole Earth
    height, width = fitting_size((west, south, east, north), THUMBNAIL_PX)
    words = {
        "service": "WMS",
        "version": "1.3.0",
        "request": "GetMap",
        "layers": layer.pk,
        "styles": "",
        "crs": "CRS:84",
        "bbox": f"{west},{south},{east},{north}",
        "width": width,
        "height": height,
        "format": "image/png",
        "transparent": "TRUE",
    }
    href = f"{origin}/ogc/wms?{urlencode(words)}"
    return {"thumbnail": {"href": href, "type": "image/png", "title": "Small picture", "roles": ["thumbnail"]}}


def _band(layer: ImageryLayer, band: dict[str, Any]) -> dict[str, Any]:
    name = str(band["name"])
    common = name.lower().removesuffix(" band")
    stored = band.get("stored_dtype", layer.dtype)
    found: dict[str, Any] = {"name": name, "data_type": stored, "raster:spatial_resolution": layer.gsd_m}
    if "scale" in band:
        found |= {"raster:scale": band["scale"], "raster:offset": band["offset"]}
    if layer.nodata is not None:
        # JSON knows no NaN; STAC spells it.
        found["nodata"] = layer.nodata if layer.nodata == layer.nodata else "nan"
    if common in COMMON:
        found["eo:common_name"] = common
    if {"min", "max", "mean", "std"} <= set(band):
        found["statistics"] = {
            "minimum": band["min"],
            "maximum": band["max"],
            "mean": band["mean"],
            "stddev": band["std"],
        }
    return found


def _maps(layer: ImageryLayer, origin: str) -> list[dict[str, Any]]:
    tiles = f"{origin}/ogc/collections/{layer.pk}/map/tiles/WebMercatorQuad"
    return [
        link(f"{origin}/imagery/{layer.pk}/", "alternate", "text/html", "Page of the layer"),
        link(f"{tiles}/{{z}}/{{y}}/{{x}}?f=png", "xyz", "image/png", "Map tiles"),
        link(f"{tiles}?f=tilejson", "tilejson", title="Map tiles"),
        {
            **link(f"{origin}/ogc/wmts?service=WMTS&request=GetCapabilities", "wmts", "image/png", "Map tiles"),
            "wmts:layer": str(layer.pk),
        },
    ]


def _classes(layer: ImageryLayer) -> list[dict[str, Any]]:
    return [
        {
            "value": int(row["value"]),
            # A name of the extension `classification` has no blanks; the title says it as people do.
            "name": re.sub(r"[^0-9A-Za-z_-]+", "-", str(row["name"])).strip("-") or f"class-{row['value']}",
            "title": str(row["name"]),
            "color_hint": str(row["colour"]).removeprefix("#").upper(),
        }
        for row in layer.classes
    ]


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@lru_cache(maxsize=64)
def _wkt2(wkt: str) -> str:
    return str(CRS.from_wkt(wkt).to_wkt())
