"""Django application `imagery`."""

from django.apps import AppConfig


class ImageryConfig(AppConfig):
    """Settings of the application."""

    name = "webapp.imagery"
