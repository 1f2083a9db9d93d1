"""The route of WMS."""

from django.urls import URLPattern, URLResolver, path

from webapp.ogc.wms import api

urlpatterns: list[URLPattern | URLResolver] = [path("ogc/wms", api.service, name="ogc-wms")]
