"""Routes of the demo."""

from django.urls import URLPattern, URLResolver, path

from webapp.demo import api

urlpatterns: list[URLPattern | URLResolver] = [path("api/demo/", api.demo, name="api-demo")]
