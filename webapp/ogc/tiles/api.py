"""OGC API Tiles 1.0: map tiles of imagery, vector tiles of feature layers, and their descriptions."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from webapp.errors import Invalid, NotFound
from webapp.features import selectors as features
from webapp.features.models import FeatureLayer
from webapp.features.mvt import TileReader
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import Bounds, box_of, middle
from webapp.ogc import catalogue, pictures
from webapp.ogc.responses import answer, carried, link, not_modified, ogc_view, root, tagged
from webapp.ogc.tiles import documents, matrix
from webapp.ogc.tiles.documents import MVT, TileSource
from webapp.projects import access
from webapp.raster.render import MEDIA_TYPES

VECTOR_ZOOM = 20
WORLD: Bounds = (-180.0, -matrix.MAX_LATITUDE, 180.0, matrix.MAX_LATITUDE)
FIELDS: dict[str, Any] = {
    "fid": {"type": "integer"},
    "id": {"type": "string", "format": "uuid"},
    "class_value": {"type": "integer"},
    "score": {"type": "number"},
    "verified": {"type": "boolean"},
    "count": {"type": "integer", "description": "Of a cell: how many features lie in it."},
}
NAMES = ("tileMatrix", "tileRow", "tileCol")
XYZ = ("z", "y", "x")
_reader = TileReader()


@ogc_view(["GET"])
def matrix_sets(request: Request) -> HttpResponse:
    """List the tile matrix sets."""
    base = root(request)
    rows = [
        {
            "id": found.id,
            "title": found.title,
            **({"uri": found.uri} if found.uri else {}),
            "links": [link(f"{base}/tileMatrixSets/{found.id}", "self")],
        }
        for found in matrix.SETS.values()
    ]
    return tagged(request, answer({"tileMatrixSets": rows, "links": [link(f"{base}/tileMatrixSets", "self")]}))


@ogc_view(["GET"])
def matrix_set(request: Request, name: str) -> HttpResponse:
    """Show one tile matrix set."""
    return tagged(request, answer(matrix.definition(matrix.matrix_set(name))))


@ogc_view(["GET"])
def map_tilesets(request: Request, pk: UUID) -> HttpResponse:
    """List an imagery layer's tile sets."""
    source = map_source(catalogue.imagery_layer(request, pk))
    return tagged(request, answer(documents.tilesets(source, root(request))))


@ogc_view(["GET"])
def map_tileset(request: Request, pk: UUID, matrices: str) -> HttpResponse:
    """Describe one tile set of an imagery layer; `f=tilejson` as TileJSON."""
    layer = catalogue.imagery_layer(request, pk)
    return _tileset(request, map_source(layer), matrices, layer.version)


@ogc_view(["GET"])
def map_tile(request: Request, pk: UUID, matrices: str, z: int, row: int, col: int) -> HttpResponse:
    """Return a picture tile of an imagery layer; `f` is png, jpg or webp, `style` a saved rendering."""
    layer = catalogue.imagery_layer(request, pk)
    place = pictures.TilePlace(matrix.matrix_set(matrices), z, row, col)
    form, style = request.GET.get("f") or _accepted(request), request.GET.get("style", "")
    return tile_answer(request, layer, place, form, style)


@ogc_view(["GET"])
def vector_tilesets(request: Request, pk: UUID) -> HttpResponse:
    """List a feature layer's tile sets."""
    return tagged(request, answer(documents.tilesets(vector_source(_feature_layer(request, pk)), root(request))))


@ogc_view(["GET"])
def vector_tileset(request: Request, pk: UUID, matrices: str) -> HttpResponse:
    """Describe the vector tiles of a feature layer; `f=tilejson` as TileJSON."""
    layer = _feature_layer(request, pk)
    return _tileset(request, vector_source(layer), matrices, layer.seq)


@ogc_view(["GET"])
def vector_tile(request: Request, pk: UUID, matrices: str, z: int, row: int, col: int) -> HttpResponse:
    """Return a vector tile of a feature layer; 204 where nothing lies."""
    layer = _feature_layer(request, pk)
    if matrices != matrix.QUAD.id:
        raise NotFound("tile matrix set")
    if request.GET.get("f", "mvt") not in ("mvt", MVT):
        raise Invalid("Vector tiles come as mvt only.", fix="Leave f out.", code="format")
    pictures.TilePlace(matrix.QUAD, z, row, col).check()
    state = _reader.state(layer.pk, z, col, row)
    tag = f'"{state.changed}-{z}-{row}-{col}"'
    same = not_modified(request, tag)
    if same is not None:
        return same
    made = _reader.tile(layer.pk, z, col, row, state)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if made.truncated:
        headers["Quadrat-Truncated"] = str(made.shown)
    if made.aggregated:
        headers["Quadrat-Aggregated"] = str(made.aggregated)
    if not made.body:
        return HttpResponse(status=204, headers=headers)
    return HttpResponse(made.body, content_type=MVT, headers=headers)


def tile_answer(
    request: Request, layer: ImageryLayer, place: pictures.TilePlace, form: str, style: str
) -> HttpResponse:
    """Return a picture tile with its ETag, or 304 where the client holds it.

    Raises:
        Invalid: no such tile, format or style.
        Unavailable: the layer's file is missing.
    """
    found = pictures.format_of(form)
    place.check()
    tag = pictures.tag([pictures.look(layer, style)], place, found)
    lasting = layer.state == ImageryLayer.State.READY
    same = not_modified(request, tag) if lasting else None
    if same is not None:
        return same
    made = pictures.tile(layer, place, found, style)
    response = HttpResponse(made.body, content_type=made.media_type)
    response["Cache-Control"] = "private, no-cache"
    if lasting:
        response["ETag"] = tag
    return response


def map_source(layer: ImageryLayer) -> TileSource:
    """Return what describes the tiles of an imagery layer."""
    return TileSource(
        pk=layer.pk,
        name=layer.name,
        description=layer.description or layer.name,
        attribution=layer.attribution,
        kind="map",
        box=catalogue.whole_box(layer) if layer.footprint else WORLD,
        middle=middle(box_of(layer) if layer.footprint else WORLD),
        max_zoom=min(layer.max_zoom, matrix.LEVELS - 1),
        # Classes keep their exact colours.
        forms={form: MEDIA_TYPES[form] for form in ("png", "jpg", "webp") if form == "png" or not layer.classes},
        fields={},
    )


def vector_source(layer: FeatureLayer) -> TileSource:
    """Return what describes the tiles of a feature layer."""
    west, south, east, north = layer.west, layer.south, layer.east, layer.north
    if west is None or south is None or east is None or north is None or west > east:
        box = WORLD
    else:
        box = (west, south, east, north)
    return TileSource(
        pk=layer.pk,
        name=layer.name,
        description=layer.description or layer.name,
        attribution=layer.attribution,
        kind="vector",
        box=box,
        middle=middle(box),
        max_zoom=VECTOR_ZOOM,
        forms={"mvt": MVT},
        fields=FIELDS,
    )


def _tileset(request: Request, source: TileSource, matrices: str, version: int) -> HttpResponse:
    base, found = root(request), matrix.matrix_set(matrices)
    if found not in source.sets():
        raise NotFound("tile matrix set")

    def template(form: str, names: tuple[str, str, str]) -> str:
        return carried(request, documents.tile_template(source, found, base, form, names))

    asked = request.GET.get("f", "json")
    if asked == "tilejson":
        form = next(iter(source.forms))
        return tagged(request, answer(documents.tilejson(source, template(form, XYZ), version)))
    if asked != "json":
        raise Invalid(f"f={asked[:40]!r} is not there.", fix="Use json or tilejson.", code="format")
    templates = {form: template(form, NAMES) for form in source.forms}
    return tagged(request, answer(documents.tileset(source, found, base, templates)))


def _feature_layer(request: Request, pk: UUID) -> FeatureLayer:
    layer = features.layer_of(pk)
    access.authorise(request, layer.project)
    return layer


def _accepted(request: Request) -> str:
    """Return the first picture type that the client names; browsers name webp among much else."""
    accepted = request.headers.get("Accept", "")
    named = [kind.split(";")[0].strip() for kind in accepted.split(",")]
    return next((kind for kind in named if kind in pictures.BY_MEDIA_TYPE), "png")
