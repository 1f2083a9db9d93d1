"""Routes of the room `features`: its API."""

from django.urls import URLPattern, URLResolver, path

from webapp.features import api, files_api

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/layers/", api.layers, name="api-layers"),
    path("api/layers/<uuid:pk>/", api.layer, name="api-layer"),
    path("api/layers/<uuid:pk>/deletion", api.deletion, name="api-layer-deletion"),
    path("api/layers/<uuid:pk>/features", api.features, name="api-layer-features"),
    path("api/layers/<uuid:pk>/features/<uuid:feature_id>", api.feature, name="api-layer-feature"),
    path("api/layers/<uuid:pk>/features/<uuid:feature_id>/history", api.history, name="api-layer-history"),
    path("api/layers/<uuid:pk>/edits", api.edits, name="api-layer-edits"),
    path("api/layers/<uuid:pk>/timeline", api.timeline, name="api-layer-timeline"),
    path("api/layers/<uuid:pk>/restore", api.restore, name="api-layer-restore"),
    path("api/layers/<uuid:pk>/classes", api.classes, name="api-layer-classes"),
    path("api/layers/<uuid:pk>/statistics", api.statistics, name="api-layer-statistics"),
    path("api/layers/<uuid:pk>/export.geojson", api.export, name="api-layer-export"),
    path("api/layers/<uuid:pk>/import", api.import_features, name="api-layer-import"),
    path("api/formats/", files_api.formats, name="api-formats"),
    path("api/layers/<uuid:pk>/imports", files_api.imports, name="api-layer-imports"),
    path("api/layers/<uuid:pk>/imports/<uuid:look_pk>", files_api.import_of, name="api-layer-import-of"),
    path("api/layers/<uuid:pk>/exports", files_api.exports, name="api-layer-exports"),
    path("api/layers/<uuid:pk>/exports/<uuid:export_pk>", files_api.export_of, name="api-layer-export-of"),
]
