"""`manage.py collect`: remove files that no row names."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.errors import QuadratError
from webapp.housekeeping.collector import Report, collect


class Command(BaseCommand):
    """Collect files in the media, quarantine and scratch folders that no row names."""

    help = "Remove files that no row names and that have not changed for QUADRAT_COLLECT_GRACE_H hours."

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options."""
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Collect and report."""
        try:
            report = collect(dry_run=options["dry_run"])
        except QuadratError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(report.as_json()) if options["json"] else _told(report))


def _told(report: Report) -> str:
    verb = "would be removed" if report.dry_run else "removed"
    lines = [f"{found.store}: {found.name} ({found.bytes:,} bytes)" for found in report.removed]
    young = f", {report.young} unnamed but too young" if report.young else ""
    return "\n".join([*lines, f"{len(report.removed)} {verb}, {report.bytes:,} bytes{young}."])
