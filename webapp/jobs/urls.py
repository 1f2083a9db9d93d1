"""Routes of the room `jobs`: pages and API."""

from django.urls import URLPattern, URLResolver, path

from webapp.jobs import api, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("jobs/", pages.jobs, name="jobs"),
    path("jobs/<uuid:pk>/", pages.job, name="job"),
    path("api/jobs/", api.jobs, name="api-jobs"),
    path("api/jobs/<uuid:pk>/", api.job, name="api-job"),
    path("api/jobs/<uuid:pk>/cancel", api.cancel, name="api-job-cancel"),
    path("api/jobs/<uuid:pk>/restart/", api.restart, name="api-job-restart"),
    path("api/jobs/<uuid:pk>/events", api.events, name="api-job-events"),
]
