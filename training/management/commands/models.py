"""`manage.py models list|query|install|uninstall|package`: model packages from the command line."""

import json
import shutil
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from training import selectors, services
from training.management.looking import by_id_or_name, owner_of
from training.models import ModelPackage
from training.package import file_name
from training.settings import MONITOR
from webapp.errors import QuadratError
from webapp.jobs.follow import follow
from webapp.projects.models import Project

CHUNK_BYTES = 1024**2


class Command(BaseCommand):
    """Look after model packages."""

    help = "List, query, install, uninstall and copy out model packages."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="every installed model")
        listing.add_argument("--json", action="store_true", help="JSON lines")
        query = actions.add_parser("query", help="all that is known of one model, as JSON")
        query.add_argument("model", help="id or name")
        install = actions.add_parser("install", help="check a .dlpk and install it")
        install.add_argument("file", type=Path)
        install.add_argument("--project", required=True, help="id or name of the project")
        install.add_argument("--json", action="store_true", help="JSON lines instead of a progress bar")
        uninstall = actions.add_parser("uninstall", help="remove a model's file; results stay")
        uninstall.add_argument("model", help="id or name")
        package = actions.add_parser("package", help="copy a model's .dlpk out")
        package.add_argument("model", help="id or name")
        package.add_argument("target", type=Path, help="new file, or folder")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of the actions."""
        try:
            getattr(self, f"do_{options['action']}")(options)
        except QuadratError as error:
            raise CommandError(str(error)) from error

    def do_list(self, options: dict[str, Any]) -> None:
        """Print a line for each model."""
        for row in selectors.packages_of(Project.objects.all()):
            if options["json"]:
                self.stdout.write(json.dumps(selectors.package_json(row)))
                continue
            monitor = MONITOR.get(row.task, "")
            score = row.metrics.get(monitor)
            shown = f"{monitor} {score:.3f}" if isinstance(score, float) else ""
            self.stdout.write(f"{row.pk}  {row.name}  {row.task}  {row.network}  {shown}")

    def do_query(self, options: dict[str, Any]) -> None:
        """Print one model."""
        row = self._model(options)
        shown = selectors.package_json(row) | {"used_by": selectors.uses_of(row)}
        self.stdout.write(json.dumps(shown, indent=1))

    def do_install(self, options: dict[str, Any]) -> None:
        """Install a file."""
        file: Path = options["file"]
        if not file.is_file():
            raise CommandError(f"There is no file '{file}'.")
        project = by_id_or_name(Project.objects.all(), options["project"])
        with file.open("rb") as source:
            job = services.install_package(
                project=project,
                user=owner_of(project),
                chunks=iter(lambda: source.read(CHUNK_BYTES), b""),
                filename=file.name,
                size_bytes=file.stat().st_size,
            )
        result = follow(job, as_json=options["json"], write=self.stdout.write)
        self.stdout.write(json.dumps(result) if options["json"] else f"Installed as {result['package']}")

    def do_uninstall(self, options: dict[str, Any]) -> None:
        """Uninstall a model."""
        row = self._model(options)
        services.uninstall(package=row, user=owner_of(row.project))
        self.stdout.write(f"Uninstalled {row.name} ({row.pk})")

    def do_package(self, options: dict[str, Any]) -> None:
        """Copy a model's file out."""
        row = self._model(options)
        target: Path = options["target"]
        copied = shutil.copyfile(
            selectors.package_file(row),
            target / f"{file_name(row.name)}.dlpk" if target.is_dir() else target,
        )
        self.stdout.write(str(copied))

    def _model(self, options: dict[str, Any]) -> ModelPackage:
        return by_id_or_name(ModelPackage.objects.filter(uninstalled_at=None), options["model"])
