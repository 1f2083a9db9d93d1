"""Django application `projects`."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    """Settings of the application."""

    name = "webapp.projects"
