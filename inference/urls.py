"""Routes of the room `inference`: pages and API."""

from django.urls import URLPattern, URLResolver, path

from inference import api, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("inferences/new", pages.new, name="inference-new"),
    path("inferences/<uuid:pk>/", pages.inference, name="inference"),
    path("api/inferences/", api.inferences, name="api-inferences"),
    path("api/inferences/estimate", api.estimate, name="api-inference-estimate"),
    path("api/inferences/<uuid:pk>/", api.inference, name="api-inference"),
    path("api/inferences/<uuid:pk>/deletion", api.deletion, name="api-inference-deletion"),
]
