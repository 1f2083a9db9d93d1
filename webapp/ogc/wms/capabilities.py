"""WMS 1.3.0 capabilities (06-042, 7.2): each imagery layer with its boxes, styles and legend."""

from functools import lru_cache
from uuid import UUID
from xml.etree.ElementTree import Element

from pyproj import Transformer

from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import Bounds
from webapp.ogc import markup
from webapp.ogc.catalogue import whole_box
from webapp.ogc.markup import node
from webapp.ogc.pictures import DEFAULT_STYLE
from webapp.ogc.tiles.matrix import HALF_WORLD_M, MAX_LATITUDE
from webapp.ogc.wms.parameters import FORMATS, INFO_FORMATS, MAX_LAYERS
from webapp.raster.canvas import MAX_SIDE_PX, crs_of

NAMESPACES = {"": "http://www.opengis.net/wms", "xlink": "http://www.w3.org/1999/xlink"}
# Everything is drawn in any CRS with an EPSG number; these are named for every layer.
EVERYWHERE = ("EPSG:3857", "CRS:84", "EPSG:4326")
XML = "text/xml"


def document(layers: list[ImageryLayer], styles: dict[UUID, list[tuple[str, str]]], url: str) -> Element:
    """Return the document.

    Args:
        layers: what the caller may see.
        styles: (name, title) of the saved renderings by layer id.
        url: of the service, ready for parameters to be added.
    """
    made = markup.root("WMS_Capabilities", NAMESPACES, version="1.3.0")
    _service(made, url)
    capability = node(made, "Capability")
    _requests(node(capability, "Request"), url)
    node(node(capability, "Exception"), "Format", "XML")
    top = node(capability, "Layer")
    node(top, "Title", "Quadrat")
    for crs in EVERYWHERE:
        node(top, "CRS", crs)
    for layer in layers:
        _layer(top, layer, styles.get(layer.pk, []), url)
    return made


def _service(made: Element, url: str) -> None:
    service = node(made, "Service")
    node(service, "Name", "WMS")
    node(service, "Title", "Quadrat")
    node(service, "Abstract", "Imagery: scenes and class rasters.")
    node(service, "OnlineResource", xlink__type="simple", xlink__href=url)
    node(service, "Fees", "none")
    node(service, "AccessConstraints", "HTTP Basic with an API token as the password")
    node(service, "LayerLimit", MAX_LAYERS)
    node(service, "MaxWidth", MAX_SIDE_PX)
    node(service, "MaxHeight", MAX_SIDE_PX)


def _requests(request: Element, url: str) -> None:
    for name, formats in (("GetCapabilities", (XML,)), ("GetMap", FORMATS), ("GetFeatureInfo", INFO_FORMATS)):
        operation = node(request, name)
        for media in formats:
            node(operation, "Format", media)
        get = node(node(node(operation, "DCPType"), "HTTP"), "Get")
        node(get, "OnlineResource", xlink__type="simple", xlink__href=url)


def _layer(top: Element, layer: ImageryLayer, styles: list[tuple[str, str]], url: str) -> None:
    shown = node(top, "Layer", queryable=1, opaque=0)
    node(shown, "Name", layer.pk)
    node(shown, "Title", layer.name)
    if layer.description:
        node(shown, "Abstract", layer.description)
    own = f"EPSG:{layer.epsg}" if layer.epsg else ""
    if own and own not in EVERYWHERE:
        node(shown, "CRS", own)
    west, south, east, north = whole_box(layer)
    geographic = node(shown, "EX_GeographicBoundingBox")
    sides = ("westBoundLongitude", west), ("eastBoundLongitude", east)
    for name, value in (*sides, ("southBoundLatitude", south), ("northBoundLatitude", north)):
        node(geographic, name, f"{value:.9g}")
    _box(shown, "CRS:84", (west, south, east, north))
    _box(shown, "EPSG:4326", (south, west, north, east))
    _box(shown, "EPSG:3857", _mercator((west, south, east, north)))
    if own and own not in EVERYWHERE:
        _box(shown, own, _own_box(layer))
    if layer.attribution:
        node(node(shown, "Attribution"), "Title", layer.attribution)
    for name, title in [(DEFAULT_STYLE, "As on the layer's page"), *styles]:
        style = node(shown, "Style")
        node(style, "Name", name)
        node(style, "Title", title or name)
        if layer.classes and name == DEFAULT_STYLE:
            legend = node(style, "LegendURL")
            node(legend, "Format", "image/png")
            href = f"{url}service=WMS&version=1.3.0&request=GetLegendGraphic&format=image/png&layer={layer.pk}"
            node(legend, "OnlineResource", xlink__type="simple", xlink__href=href)


def _box(shown: Element, crs: str, box: Bounds) -> None:
    names = ("minx", "miny", "maxx", "maxy")
    node(shown, "BoundingBox", CRS=crs, **{name: f"{value:.12g}" for name, value in zip(names, box, strict=True)})


@lru_cache(maxsize=1)
def _to_mercator() -> Transformer:
    return Transformer.from_crs(4326, 3857, always_xy=True)


def _mercator(box: Bounds) -> Bounds:
    west, south, east, north = box
    south, north = max(-MAX_LATITUDE, south), min(MAX_LATITUDE, north)
    (left, right), (bottom, top) = _to_mercator().transform([west, east], [south, north])
    return max(-HALF_WORLD_M, left), bottom, min(HALF_WORLD_M, right), top


def _own_box(layer: ImageryLayer) -> Bounds:
    """Return the layer's box in its own CRS, in the order of that CRS's axes as 1.3.0 wants it."""
    a, b, c, d, e, f = layer.transform
    corners = [(0, 0), (layer.width, 0), (0, layer.height), (layer.width, layer.height)]
    xs = [a * col + b * row + c for col, row in corners]
    ys = [d * col + e * row + f for col, row in corners]
    axes = crs_of(f"EPSG:{layer.epsg}").axis_info
    if axes and axes[0].direction == "north":
        return min(ys), min(xs), max(ys), max(xs)
    return min(xs), min(ys), max(xs), max(ys)
