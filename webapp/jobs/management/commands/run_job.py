"""`manage.py run_job`: one attempt of one job; started by the worker only."""

import sys
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import InterfaceError, OperationalError

from webapp.jobs import runner


class Command(BaseCommand):
    """Run the job that the worker claimed."""

    help = "Run one claimed job in this process. The worker starts it; by hand it would be refused by its token."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the job and its token."""
        parser.add_argument("job", type=uuid.UUID)
        parser.add_argument("token", type=uuid.UUID)
        parser.add_argument("--parent", type=int, required=True, help="process id of the worker")

    def handle(self, *args: Any, **options: Any) -> None:
        """Tie this process's life to the worker's, then run the job."""
        runner.die_with_parent(options["parent"])
        runner.yield_to_the_site()
        try:
            runner.run_claimed(options["job"], options["token"])
        except (OperationalError, InterfaceError) as error:
            if not runner.database_gone(error):
                raise
            sys.exit(runner.DATABASE_GONE)
