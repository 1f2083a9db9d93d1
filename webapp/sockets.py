"""The socket door: which path is which consumer, behind the Origin check, the session or the token."""

from typing import Any, cast

from channels.routing import URLRouter
from django.urls import path, re_path

from labeling.consumers import LayerConsumer
from webapp.jobs.consumers import JobConsumer, JobsConsumer
from webapp.maps.consumers import MapConsumer
from webapp.projects.sockets import authenticated, nowhere

# Consumers are added here by path; their rules are in `webapp/projects/routes.py`.
routes: list[object] = [
    path("ws/layers/<uuid:pk>/", LayerConsumer.as_asgi()),
    path("ws/jobs/", JobsConsumer.as_asgi()),
    path("ws/jobs/<uuid:pk>/", JobConsumer.as_asgi()),
    path("ws/maps/<uuid:pk>/", MapConsumer.as_asgi()),
]

socket_edge = authenticated(URLRouter([*routes, re_path(r"", cast(Any, nowhere))]))
