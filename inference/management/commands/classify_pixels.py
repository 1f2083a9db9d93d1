"""Classify every pixel of a local raster."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from inference import tools
from inference.management.commands._local import LocalCommand, extent_of, settings_of


class Command(LocalCommand):
    """Writes a class raster, and polygons where asked for."""

    help = "Classify every pixel of a local raster with a model package."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what pixel classification knows."""
        super().add_arguments(parser)
        parser.add_argument("--polygons", type=Path, help="also write polygons to this GeoJSON file")
        parser.add_argument("--min-area-m2", type=float, help="leave out smaller polygons")
        parser.add_argument("--stitch", choices=["trim", "blend"])

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        self.run(
            lambda progress: tools.classify_pixels(
                options["raster"],
                options["model"],
                options["output"],
                polygons=options["polygons"],
                extent=extent_of(options["extent"]),
                progress=progress,
                device=options["device"],
                **settings_of(options, "threshold", "min_area_m2", "stitch"),
            ),
            as_json=options["json"],
        )
