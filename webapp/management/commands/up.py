"""`manage.py up`: everything on one machine."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp import up
from webapp.setup.place import SetupError


class Command(BaseCommand):
    """Serve the site from this machine."""

    help = "Run database, web and worker on this machine until Ctrl-C or SIGTERM."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Start all, wait, stop all."""
        try:
            up.serve()
        except SetupError as error:
            raise CommandError(str(error)) from error
