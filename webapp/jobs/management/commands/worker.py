"""`manage.py worker`: run jobs until stopped."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from webapp.jobs.worker import Worker


class Command(BaseCommand):
    """Run jobs, each in a process of its own, until SIGTERM or Ctrl-C."""

    help = "Run jobs until stopped. Several workers share the work; any of them may be killed at any moment."
    requires_system_checks: list[str] = []  # `up` has made them; a worker starts fast

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--once", action="store_true", help="end when nothing is queued and nothing runs")
        parser.add_argument("--heavy", type=int, default=settings.WORKER_HEAVY_SLOTS, help="heavy jobs at once")
        parser.add_argument("--light", type=int, default=settings.WORKER_LIGHT_SLOTS, help="light jobs at once")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the worker."""
        Worker({"heavy": options["heavy"], "light": options["light"]}).run(once=options["once"])
