"""Where the demo is. Every page asks; nothing of imagery or labels is loaded for that."""

from webapp.projects.models import Project

USER = "demo"
PROJECT = "Demo: trees from the air"


def find_project() -> Project | None:
    """Return the demo's project, None before the demo was loaded."""
    return Project.objects.filter(name=PROJECT, members__user__username=USER).order_by("created_at").first()
