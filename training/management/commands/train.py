"""`manage.py train TRAINING_DATA`: train a network, through the same job as the page."""

import json
from dataclasses import fields
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from training import services
from training.management.looking import by_id_or_name, owner_of
from training.models import Run, TrainingData
from training.settings import MONITOR, NETWORKS, Settings
from webapp.errors import QuadratError
from webapp.jobs.follow import follow


class Command(BaseCommand):
    """Train."""

    help = "Train a network on exported training data; the best weights become a model package."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options: every setting of a run has one."""
        parser.add_argument("training_data", help="id or name of the training data")
        parser.add_argument("--name", default="", help="of run and model")
        parser.add_argument("--network", choices=list(NETWORKS), default="", help="(default: what fits the data)")
        parser.add_argument("--json", action="store_true", help="JSON lines instead of a progress bar")
        for entry in fields(Settings):
            option = f"--{entry.name.replace('_', '-')}"
            if isinstance(entry.default, bool):
                parser.add_argument(
                    option, choices=["on", "off"], help=f"(default: {'on' if entry.default else 'off'})"
                )
            else:
                parser.add_argument(option, type=type(entry.default), help=f"(default: {entry.default})")

    def handle(self, *args: Any, **options: Any) -> None:
        """Train and say how good the model is."""
        data = by_id_or_name(TrainingData.objects.select_related("project"), options["training_data"])
        given = {entry.name: options[entry.name] for entry in fields(Settings) if options[entry.name] is not None}
        settings = {name: value == "on" if value in ("on", "off") else value for name, value in given.items()}
        try:
            run = services.start_run(
                training_data=data,
                user=owner_of(data.project),
                network=options["network"],
                settings=settings,
                name=options["name"],
            )
            assert run.job is not None
            result = follow(run.job, as_json=options["json"], write=self.stdout.write)
        except QuadratError as error:
            raise CommandError(str(error)) from error
        package = Run.objects.select_related("package").get(pk=run.pk).package
        assert package is not None
        monitor = MONITOR[package.task]
        if options["json"]:
            self.stdout.write(json.dumps(result | {monitor: package.metrics[monitor]}))
        else:
            score = f"{monitor} {package.metrics[monitor]:.3f} on held-out chips"
            self.stdout.write(f"{package.name} ({package.pk}): {score}, {result['url']}")
