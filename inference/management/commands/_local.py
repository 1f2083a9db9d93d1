"""What the commands on local files share: progress and errors for a person or a program."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from inference.tools import Done, Progress
from webapp.errors import QuadratError


class LocalCommand(BaseCommand):
    """Runs one tool on a local raster."""

    # No database is needed.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the raster, the package, the output and what both tools know."""
        parser.add_argument("raster", type=Path)
        parser.add_argument("model", type=Path, help="a model package (.dlpk)")
        parser.add_argument("output", type=Path)
        parser.add_argument("--extent", type=Path, help="GeoJSON polygon (EPSG:4326) outside which nothing is done")
        parser.add_argument("--threshold", type=float, help="least score or probability, 0 to 1")
        parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
        parser.add_argument("--json", action="store_true", help="print progress and result as JSON lines")

    def run(self, work: Callable[[Progress], Done], *, as_json: bool) -> None:
        """Run the tool and say what came out; an error ends with one sentence and a non-zero status."""
        try:
            done = self._with_lines(work) if as_json else self._with_bar(work)
        except (QuadratError, OSError) as error:
            raise CommandError(str(error)) from error
        facts = {
            "path": str(done.path),
            "pixels": done.pixels,
            "seconds": round(done.seconds, 2),
            "features": done.features,
        }
        rate = done.pixels / 1e6 / done.seconds
        counted = "" if done.features is None else f", {done.features:,} features"
        self.stdout.write(json.dumps(facts) if as_json else f"{done.path}: {rate:.2f} Mpx/s{counted}")

    def _with_bar(self, work: Callable[[Progress], Done]) -> Done:
        with tqdm(total=100, unit="%", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:

            def show(fraction: float, text: str) -> None:
                bar.set_description(text)
                bar.update(max(0, round(100 * fraction) - bar.n))

            return work(show)

    def _with_lines(self, work: Callable[[Progress], Done]) -> Done:
        return work(
            lambda fraction, text: self.stdout.write(json.dumps({"progress": round(fraction, 4), "message": text}))
        )


def settings_of(options: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the settings that were given."""
    return {name: options[name] for name in names if options[name] is not None}


def extent_of(path: Path | None) -> dict[str, Any] | None:
    """Return the geometry of a GeoJSON file: of its only feature, or itself.

    Raises:
        CommandError: it holds no single polygon.
    """
    if path is None:
        return None
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"'{path}' is no GeoJSON file: {error}.") from error
    if isinstance(value, dict) and value.get("type") == "FeatureCollection" and len(value.get("features", [])) == 1:
        value = value["features"][0]
    if isinstance(value, dict) and value.get("type") == "Feature":
        value = value["geometry"]
    if not isinstance(value, dict):
        raise CommandError(f"'{path}' does not hold one polygon.")
    return value
