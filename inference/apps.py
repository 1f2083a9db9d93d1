"""Django application `inference`."""

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    """Settings of the application."""

    name = "inference"
