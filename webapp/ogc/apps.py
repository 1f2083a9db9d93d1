"""Django application `ogc`."""

from django.apps import AppConfig


class OgcConfig(AppConfig):
    """Settings of the application."""

    name = "webapp.ogc"
