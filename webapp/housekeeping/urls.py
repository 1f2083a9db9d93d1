"""Routes of the housekeeping."""

from django.urls import URLPattern, URLResolver, path

from webapp.housekeeping import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/projects/<uuid:pk>/deletion", api.deletion, name="api-project-deletion"),
]
