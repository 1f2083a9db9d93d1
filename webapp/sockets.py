"""The socket door: which path is which consumer, behind the Origin check and the session."""

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from webapp.maps.consumers import MapConsumer

# Consumers are added here by path; their rules are in `webapp/projects/routes.py`.
routes: list[object] = [
    path("ws/maps/<uuid:pk>/", MapConsumer.as_asgi()),
]

socket_edge = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(routes)))
