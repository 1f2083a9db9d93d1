"""WMS at one address: capabilities, maps, values at a place, legends."""

from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from webapp.errors import QuadratError
from webapp.imagery.models import ImageryLayer
from webapp.ogc import catalogue, markup, pictures
from webapp.ogc.markup import node
from webapp.ogc.parameters import bad, lowered, needed
from webapp.ogc.responses import carried, not_modified, ogc_view, root, tagged
from webapp.ogc.wms import capabilities, info, legend, stack
from webapp.ogc.wms.parameters import parse_info, parse_map
from webapp.raster.render import MEDIA_TYPES
from webapp.raster.rendering import BadRendering


def exception(status: int, error: QuadratError) -> HttpResponse:
    """Return an error as a ServiceExceptionReport (06-042, annex E.2)."""
    report = markup.root("ServiceExceptionReport", {"": "http://www.opengis.net/ogc"}, version="1.3.0")
    told = node(report, "ServiceException", str(error))
    # What is ours and not the standard's goes without a code.
    if error.code[:1].isupper():
        told.set("code", error.code)
    if locator := error.details.get("locator"):
        told.set("locator", str(locator).upper())
    return markup.answer(report, capabilities.XML, status)


@ogc_view(["GET"], exception)
def service(request: Request) -> HttpResponse:
    """Answer GetCapabilities, GetMap, GetFeatureInfo and GetLegendGraphic."""
    query = lowered(request.GET)
    if query.get("service", "WMS").upper() != "WMS":
        raise bad("service", "SERVICE is not WMS.")
    asked = needed(query, "request").lower()
    if asked in ("getcapabilities", "capabilities"):
        return _capabilities(request)
    if asked in ("getmap", "map"):
        return _map(request, query)
    if asked in ("getfeatureinfo", "feature_info"):
        wanted = parse_info(query)
        return _private(info.answer(wanted, _layers(request, wanted.layers, "query_layers")))
    if asked == "getlegendgraphic":
        (layer,) = _layers(request, (_one(needed(query, "layer")),), "layer")
        return tagged(request, HttpResponse(legend.draw(layer), content_type="image/png"))
    raise bad(
        "request",
        f"REQUEST={asked[:40]} is not answered.",
        code="OperationNotSupported",
        fix="Ask for GetCapabilities, GetMap or GetFeatureInfo.",
    )


def _capabilities(request: Request) -> HttpResponse:
    with catalogue.bounded():
        layers = list(catalogue.imagery(request).defer("bands", "crs_wkt"))
        styles = pictures.styles_of(layers)
    url = carried(request, f"{root(request)}/wms")
    if project := request.GET.get("project"):
        url += f"{'&' if '?' in url else '?'}project={UUID(project)}"
    document = capabilities.document(layers, styles, f"{url}{'&' if '?' in url else '?'}")
    return tagged(request, markup.answer(document, capabilities.XML))


def _map(request: Request, query: dict[str, str]) -> HttpResponse:
    asked = parse_map(query)
    layers = _layers(request, tuple(pk for pk, _ in asked.layers), "layers")
    try:
        looks = [pictures.look(layer, style) for layer, (_, style) in zip(layers, asked.layers, strict=True)]
    except BadRendering as error:
        raise bad("styles", error.message, code="StyleNotDefined", fix=error.fix) from error
    tag = pictures.tag(looks, asked)
    same = not_modified(request, tag)
    if same is not None:
        return same
    response = HttpResponse(stack.draw(asked, looks), content_type=MEDIA_TYPES[asked.form])
    response["ETag"] = tag
    return _private(response)


def _layers(request: Request, ids: tuple[UUID, ...], name: str) -> list[ImageryLayer]:
    """Return the layers in the asked order.

    Raises:
        BadParameter: the caller sees no such layer.
    """
    found = {layer.pk: layer for layer in catalogue.imagery(request).filter(pk__in=ids)}
    for pk in ids:
        if pk not in found:
            raise bad(name, f"There is no layer {pk}.", code="LayerNotDefined", fix="Take it from the capabilities.")
    return [found[pk] for pk in ids]


def _one(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise bad("layer", f"{text[:60]} is no layer.", code="LayerNotDefined") from error


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-cache"
    return response
