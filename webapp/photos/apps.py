"""Django application `photos`."""

from django.apps import AppConfig


class PhotosConfig(AppConfig):
    """Settings of the application."""

    name = "webapp.photos"
