"""Detect objects in a local raster."""

from argparse import ArgumentParser
from typing import Any

from inference import tools
from inference.management.commands._local import LocalCommand, extent_of, settings_of


class Command(LocalCommand):
    """Writes the objects as GeoJSON."""

    help = "Detect objects in a local raster with a model package."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what detection knows."""
        super().add_arguments(parser)
        parser.add_argument("--max-overlap", type=float, help="intersection over union above which two are one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        self.run(
            lambda progress: tools.detect_objects(
                options["raster"],
                options["model"],
                options["output"],
                extent=extent_of(options["extent"]),
                progress=progress,
                device=options["device"],
                **settings_of(options, "threshold", "max_overlap"),
            ),
            as_json=options["json"],
        )
