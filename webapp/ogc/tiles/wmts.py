"""WMTS 1.0.0 (07-057r7): capabilities and tiles by key-value pairs; its RESTful tiles are those of OGC API Tiles."""

from uuid import UUID
from xml.etree.ElementTree import Element

from django.http import HttpResponse
from rest_framework.request import Request

from webapp.errors import QuadratError
from webapp.imagery.models import ImageryLayer
from webapp.ogc import catalogue, markup, pictures
from webapp.ogc.markup import node
from webapp.ogc.parameters import bad, lowered, needed, whole
from webapp.ogc.responses import carried, ogc_view, root, tagged
from webapp.ogc.tiles import matrix
from webapp.ogc.tiles.api import map_source, tile_answer
from webapp.ogc.tiles.documents import TileSource, tile_template
from webapp.raster.rendering import BadRendering

XML = "application/xml"
OWS = "http://www.opengis.net/ows/1.1"
NAMESPACES = {"": "http://www.opengis.net/wmts/1.0", "ows": OWS, "xlink": "http://www.w3.org/1999/xlink"}
NAMES = ("TileMatrix", "TileRow", "TileCol")


def exception(status: int, error: QuadratError) -> HttpResponse:
    """Return an error as an ows:ExceptionReport."""
    report = markup.root("ows:ExceptionReport", {"ows": OWS}, version="1.1.0", xml__lang="en")
    own = error.code if error.code[:1].isupper() else "NoApplicableCode"
    told = node(report, "ows:Exception", exceptionCode=own)
    if locator := error.details.get("locator"):
        told.set("locator", str(locator))
    node(told, "ows:ExceptionText", str(error))
    return markup.answer(report, XML, status)


@ogc_view(["GET"], exception)
def service(request: Request) -> HttpResponse:
    """Answer GetCapabilities and GetTile."""
    query = lowered(request.GET)
    if query.get("service", "WMTS").upper() != "WMTS":
        raise bad("service", "SERVICE is not WMTS.")
    asked = needed(query, "request").lower()
    if asked == "getcapabilities":
        return _capabilities(request)
    if asked != "gettile":
        raise bad(
            "request",
            f"REQUEST={query['request'][:40]} is not answered.",
            code="OperationNotSupported",
            fix="Ask for GetCapabilities or GetTile.",
        )
    return _tile(request, query)


@ogc_view(["GET"], exception)
def capabilities(request: Request) -> HttpResponse:
    """Return the capabilities at their RESTful address."""
    return _capabilities(request)


def _tile(request: Request, query: dict[str, str]) -> HttpResponse:
    found = matrix.SETS.get(needed(query, "tilematrixset"))
    if found is None:
        raise bad("tilematrixset", "There is no such TILEMATRIXSET.", fix=f"Use {', '.join(matrix.SETS)}.")
    try:
        pk = UUID(needed(query, "layer"))
    except ValueError as error:
        raise bad("layer", "LAYER is none of ours.", fix="Take it from the capabilities.") from error
    z = whole(query, "tilematrix", 0, matrix.LEVELS - 1)
    row, col = (_index(query, name, 2**z) for name in ("tilerow", "tilecol"))
    form = query.get("format") or "png"
    if form not in pictures.BY_MEDIA_TYPE and form not in pictures.FORMATS:
        raise bad("format", f"FORMAT={form[:40]} is not drawn.", fix=f"Use {', '.join(pictures.BY_MEDIA_TYPE)}.")
    layer = catalogue.imagery_layer(request, pk)
    try:
        return tile_answer(request, layer, pictures.TilePlace(found, z, row, col), form, query.get("style", ""))
    except BadRendering as error:
        raise bad("style", error.message, fix=error.fix) from error


def _index(query: dict[str, str], name: str, count: int) -> int:
    found = whole(query, name, 0, 10**9 - 1)
    if found >= count:
        raise bad(name, f"{name.upper()}={found} is outside.", code="TileOutOfRange", fix=f"Use 0 to {count - 1}.")
    return found


def _capabilities(request: Request) -> HttpResponse:
    """Return what there is; `?layer=` one layer only, whose set of tiles then ends at its own resolution."""
    base = root(request)
    with catalogue.bounded():
        rows = catalogue.imagery(request).defer("bands", "crs_wkt")
        if wanted := request.GET.get("layer"):
            rows = rows.filter(pk=catalogue.id_of(wanted, "layer"))
        layers = list(rows)
        styles = pictures.styles_of(layers)
    document = markup.root("Capabilities", NAMESPACES, version="1.0.0")
    _about(document)
    _operations(document, carried(request, f"{base}/wmts"))
    contents = node(document, "Contents")
    for layer in layers:
        _layer(contents, layer, styles.get(layer.pk, []), request)
    # GDAL takes the deepest level of the set for a layer's own resolution.
    levels = 1 + max((map_source(layer).max_zoom for layer in layers), default=matrix.LEVELS - 1)
    for found in matrix.SETS.values():
        _matrix_set(contents, found, levels)
    url = carried(request, f"{base}/wmts/1.0.0/WMTSCapabilities.xml")
    node(document, "ServiceMetadataURL", xlink__href=url)
    return tagged(request, markup.answer(document, XML))


def _about(document: Element) -> None:
    about = node(document, "ows:ServiceIdentification")
    node(about, "ows:Title", "Quadrat")
    node(about, "ows:Abstract", "Imagery: scenes and class rasters.")
    node(about, "ows:ServiceType", "OGC WMTS")
    node(about, "ows:ServiceTypeVersion", "1.0.0")
    node(about, "ows:Fees", "none")
    node(about, "ows:AccessConstraints", "HTTP Basic with an API token as the password")


def _operations(document: Element, url: str) -> None:
    metadata = node(document, "ows:OperationsMetadata")
    for name in ("GetCapabilities", "GetTile"):
        operation = node(metadata, "ows:Operation", name=name)
        get = node(node(node(operation, "ows:DCP"), "ows:HTTP"), "ows:Get")
        get.set("xlink:href", url if "?" not in url else f"{url}&")
        constraint = node(get, "ows:Constraint", name="GetEncoding")
        node(node(constraint, "ows:AllowedValues"), "ows:Value", "KVP")


def _layer(contents: Element, layer: ImageryLayer, styles: list[tuple[str, str]], request: Request) -> None:
    source = map_source(layer)
    west, south, east, north = source.box
    shown = node(contents, "Layer")
    node(shown, "ows:Title", source.name)
    abstract = "\n".join(part for part in (layer.description, layer.attribution) if part)
    if abstract:
        node(shown, "ows:Abstract", abstract)
    box = node(shown, "ows:WGS84BoundingBox")
    node(box, "ows:LowerCorner", f"{west:.9g} {south:.9g}")
    node(box, "ows:UpperCorner", f"{east:.9g} {north:.9g}")
    node(shown, "ows:Identifier", source.pk)
    for name, title in [(pictures.DEFAULT_STYLE, "As on the layer's page"), *styles]:
        style = node(shown, "Style", isDefault=str(name == pictures.DEFAULT_STYLE).lower())
        node(style, "ows:Title", title)
        node(style, "ows:Identifier", name)
    for media in source.forms.values():
        node(shown, "Format", media)
    for found in source.sets():
        _limits(shown, source, found)
    for form, media in source.forms.items():
        template = tile_template(source, _ANY, root(request), form, NAMES) + "&style={Style}"
        node(shown, "ResourceURL", format=media, resourceType="tile", template=carried(request, template))


def _limits(shown: Element, source: TileSource, found: matrix.MatrixSet) -> None:
    linked = node(shown, "TileMatrixSetLink")
    node(linked, "TileMatrixSet", found.id)
    limits = node(linked, "TileMatrixSetLimits")
    for z in range(source.max_zoom + 1):
        here = matrix.limits(source.box, z)
        one = node(limits, "TileMatrixLimits")
        node(one, "TileMatrix", z)
        node(one, "MinTileRow", here.min_row)
        node(one, "MaxTileRow", here.max_row)
        node(one, "MinTileCol", here.min_col)
        node(one, "MaxTileCol", here.max_col)


def _matrix_set(contents: Element, found: matrix.MatrixSet, levels: int) -> None:
    shown = node(contents, "TileMatrixSet")
    node(shown, "ows:Title", found.title)
    node(shown, "ows:Identifier", found.id)
    node(shown, "ows:SupportedCRS", "urn:ogc:def:crs:EPSG::3857")
    if found.uri:
        node(shown, "WellKnownScaleSet", "urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible")
    for z in range(levels):
        one = node(shown, "TileMatrix")
        node(one, "ows:Identifier", z)
        node(one, "ScaleDenominator", f"{found.scale(z):.15g}")
        node(one, "TopLeftCorner", f"{-matrix.HALF_WORLD_M} {matrix.HALF_WORLD_M}")
        for name, number in (("TileWidth", found.size), ("TileHeight", found.size)):
            node(one, name, number)
        for name in ("MatrixWidth", "MatrixHeight"):
            node(one, name, 2**z)


# In the template of RESTful tiles the client fills the set's id in.
_ANY = matrix.MatrixSet("{TileMatrixSet}", "", "", 256)
