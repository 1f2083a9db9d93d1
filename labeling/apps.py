"""Django application `labeling`."""

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    """Settings of the application."""

    name = "labeling"
