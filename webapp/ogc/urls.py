"""Routes of the protocol edges: OGC API Features here, the others from their rooms."""

from django.urls import URLPattern, URLResolver, include, path

from webapp.ogc import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("ogc", api.landing, name="ogc-landing-bare"),
    path("ogc/", api.landing, name="ogc-landing"),
    path("ogc/conformance", api.conformance, name="ogc-conformance"),
    path("ogc/api", api.description, name="ogc-api"),
    path("ogc/collections", api.collections, name="ogc-collections"),
    path("ogc/collections/<uuid:pk>", api.collection, name="ogc-collection"),
    path("ogc/collections/<uuid:pk>/schema", api.schema, name="ogc-schema"),
    path("ogc/collections/<uuid:pk>/items", api.items, name="ogc-items"),
    path("ogc/collections/<uuid:pk>/items/<uuid:feature_id>", api.item, name="ogc-item"),
    path("", include("webapp.ogc.tiles.urls")),
    path("", include("webapp.ogc.wms.urls")),
    path("", include("webapp.ogc.stac.urls")),
]
