"""Django application `jobs`."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Settings of the application."""

    name = "webapp.jobs"
