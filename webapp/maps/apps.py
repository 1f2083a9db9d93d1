"""Django application `maps`."""

from django.apps import AppConfig


class MapsConfig(AppConfig):
    """Settings of the application."""

    name = "webapp.maps"
