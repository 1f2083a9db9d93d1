"""Routes of the room `training`: pages and API."""

from django.urls import URLPattern, URLResolver, path

from training import api, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("training-data/new", pages.training_data_new, name="training-data-new"),
    path("training-data/<uuid:pk>/", pages.training_data, name="training-data"),
    path("runs/<uuid:pk>/", pages.run, name="run"),
    path("models/", pages.models, name="models"),
    path("models/<uuid:pk>/", pages.model, name="model"),
    path("api/training-data/", api.training_data_list, name="api-training-data-list"),
    path("api/training-data/<uuid:pk>/", api.training_data, name="api-training-data"),
    path("api/training-data/<uuid:pk>/deletion", api.training_data_deletion, name="api-training-data-deletion"),
    path(
        "api/training-data/<uuid:pk>/samples/<int:number>.png",
        api.training_data_sample,
        name="api-training-data-sample",
    ),
    path("api/runs/", api.runs, name="api-runs"),
    path("api/runs/<uuid:pk>/", api.run, name="api-run"),
    path("api/runs/<uuid:pk>/deletion", api.run_deletion, name="api-run-deletion"),
    path("api/runs/<uuid:pk>/epochs", api.epochs, name="api-run-epochs"),
    path("api/models/", api.models, name="api-models"),
    path("api/models/<uuid:pk>/", api.model, name="api-model"),
    path("api/models/<uuid:pk>/download", api.download, name="api-model-download"),
    path("api/models/<uuid:pk>/samples/<int:number>-<slug:what>.png", api.sample, name="api-model-sample"),
]
