"""Routes of the STAC API."""

from django.urls import URLPattern, URLResolver, path

from webapp.ogc.stac import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("stac", api.landing, name="stac-landing-bare"),
    path("stac/", api.landing, name="stac-landing"),
    path("stac/conformance", api.conformance, name="stac-conformance"),
    path("stac/api", api.description, name="stac-api"),
    path("stac/collections", api.collections, name="stac-collections"),
    path("stac/collections/<uuid:pk>", api.collection, name="stac-collection"),
    path("stac/collections/<uuid:pk>/items", api.items, name="stac-items"),
    path("stac/collections/<uuid:pk>/items/<uuid:item_id>", api.item, name="stac-item"),
    path("stac/search", api.find, name="stac-search"),
    path("stac/files/<uuid:pk>.tif", api.file, name="stac-file"),
]
