"""Routes of the room `labeling`: pages and API."""

from django.urls import URLPattern, URLResolver, path

from labeling import api, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("label/<uuid:pk>/", pages.label, name="label"),
    path("api/label-sets/", api.label_sets, name="api-label-sets"),
    path("api/label-sets/<uuid:pk>/", api.label_set, name="api-label-set"),
    path("api/label-sets/<uuid:pk>/statistics", api.statistics, name="api-label-set-statistics"),
]
