"""Django application `features`."""

from django.apps import AppConfig


class FeaturesConfig(AppConfig):
    """Settings of the application."""

    name = "webapp.features"
