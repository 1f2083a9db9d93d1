"""Django application `training`."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Settings of the application."""

    name = "training"
