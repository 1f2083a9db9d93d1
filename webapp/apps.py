"""The project's own Django application: page templates and commands that span the rooms."""

from django.apps import AppConfig


class WebappConfig(AppConfig):
    """Settings of the application."""

    name = "webapp"
