"""Routes of OGC API Tiles and WMTS."""

from django.urls import URLPattern, URLResolver, path

from webapp.ogc.tiles import api, wmts

COLLECTION = "ogc/collections/<uuid:pk>"
TILE = "<str:matrices>/<int:z>/<int:row>/<int:col>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("ogc/tileMatrixSets", api.matrix_sets, name="ogc-matrix-sets"),
    path("ogc/tileMatrixSets/<str:name>", api.matrix_set, name="ogc-matrix-set"),
    path(f"{COLLECTION}/tiles", api.vector_tilesets, name="ogc-tilesets"),
    path(f"{COLLECTION}/tiles/<str:matrices>", api.vector_tileset, name="ogc-tileset"),
    path(f"{COLLECTION}/tiles/{TILE}", api.vector_tile, name="ogc-tile"),
    path(f"{COLLECTION}/map/tiles", api.map_tilesets, name="ogc-map-tilesets"),
    path(f"{COLLECTION}/map/tiles/<str:matrices>", api.map_tileset, name="ogc-map-tileset"),
    path(f"{COLLECTION}/map/tiles/{TILE}", api.map_tile, name="ogc-map-tile"),
    path("ogc/wmts", wmts.service, name="ogc-wmts"),
    path("ogc/wmts/1.0.0/WMTSCapabilities.xml", wmts.capabilities, name="ogc-wmts-capabilities"),
]
