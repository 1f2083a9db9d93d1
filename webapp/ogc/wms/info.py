"""GetFeatureInfo: what layers hold at a place, as text, JSON or HTML."""

import html
import json
from typing import Any

from django.http import HttpResponse

from webapp.imagery import point
from webapp.imagery.models import ImageryLayer
from webapp.ogc.wms.parameters import InfoRequest
from webapp.raster.canvas import between


def answer(asked: InfoRequest, layers: list[ImageryLayer]) -> HttpResponse:
    """Return the values under the asked position, layer by layer.

    Raises:
        Unavailable: a layer's file is missing.
    """
    way = between(asked.canvas.crs, "EPSG:4326")
    lon, lat = asked.position if way is None else way.transform(*asked.position)
    found = [_found(layer, lon, lat) for layer in layers] if _on_earth(lon, lat) else []
    if asked.info_format == "application/json":
        return HttpResponse(json.dumps(_collection(found, lon, lat)), content_type="application/json")
    if asked.info_format == "text/html":
        return HttpResponse(_page(found), content_type="text/html; charset=utf-8")
    return HttpResponse(_text(found), content_type="text/plain; charset=utf-8")


def _on_earth(lon: float, lat: float) -> bool:
    return -180 <= lon <= 180 and -90 <= lat <= 90


def _found(layer: ImageryLayer, lon: float, lat: float) -> dict[str, Any]:
    here = point.point(layer, lon, lat)
    bands = dict(zip(here["band_names"], here["values"], strict=False))
    named = here["class"]
    return {
        "layer": str(layer.pk),
        "title": layer.name,
        "bands": bands,
        **({"scenes": [row["name"] for row in here["scenes"]]} if here.get("scenes") else {}),
        **({"class_value": named["value"], "class_name": named["name"]} if named else {}),
    }


def _collection(found: list[dict[str, Any]], lon: float, lat: float) -> dict[str, Any]:
    place = {"type": "Point", "coordinates": [lon, lat]}
    features = [{"type": "Feature", "id": row["layer"], "geometry": place, "properties": row} for row in found]
    return {"type": "FeatureCollection", "features": features}


def _lines(row: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [(str(name), "no data" if value is None else f"{value:g}") for name, value in row["bands"].items()]
    if "scenes" in row:
        lines.append(("Scene", ", ".join(row["scenes"])))
    return [*lines, ("Class", str(row["class_name"]))] if "class_name" in row else lines


def _text(found: list[dict[str, Any]]) -> str:
    blocks = ["\n".join([row["title"], *(f"  {name}: {value}" for name, value in _lines(row))]) for row in found]
    return "\n\n".join(blocks) + "\n"


def _page(found: list[dict[str, Any]]) -> str:
    tables = []
    for row in found:
        lines = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in _lines(row)
        )
        tables.append(f"<table><caption>{html.escape(row['title'])}</caption>{lines}</table>")
    return f"<!doctype html><html><head><title>Values</title></head><body>{''.join(tables)}</body></html>"
