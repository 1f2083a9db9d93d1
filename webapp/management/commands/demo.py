"""`manage.py demo`: drive the running site from labels to a finished map; `--load` only brings the data in."""

import json
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.demo import drive, load
from webapp.demo.selectors import find_project
from webapp.demo.services import api_client
from webapp.errors import QuadratError

BAR = 30


class Command(BaseCommand):
    """Load or run the demo."""

    help = "Run the demo on the running site: training data, training, inference, a map with its score."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do and how to tell."""
        parser.add_argument("--load", action="store_true", help="only load imagery and labels; needs no running site")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load what is missing, then run."""
        self._json = bool(options["json"])
        self._last = ""
        try:
            project = load.load(self._line)
            if not options["load"]:
                self._run(str(project.pk))
        except QuadratError as error:
            raise CommandError(str(error)) from error

    def _run(self, project_id: str) -> None:
        project, user = find_project(), load.demo_user()
        assert project is not None
        start = time.monotonic()
        state: dict[str, str] = {}
        with api_client(project=project, user=user) as client:
            try:
                result = drive.run(client, project_id, state, self._tell)
            except KeyboardInterrupt:
                drive.cancel(client, state)
                raise CommandError("Stopped; the running job is cancelled.") from None
        seconds = round(time.monotonic() - start)
        address = (settings.PUBLIC_URL or settings.INTERNAL_URL).rstrip("/") + result["map"]
        if self._json:
            self.stdout.write(json.dumps({**result, "url": address, "seconds": seconds}))
            return
        self.stdout.write(f"\n{result['sentence']}\nThe map, after {seconds} s: {address}")

    def _line(self, text: str) -> None:
        self.stdout.write(json.dumps({"message": text}) if self._json else text)

    def _tell(self, fraction: float, text: str) -> None:
        if self._json:
            self.stdout.write(json.dumps({"progress": round(fraction, 3), "message": text}))
        elif self.stdout.isatty():
            done = round(BAR * fraction)
            self.stdout.write(f"\r\x1b[K[{'#' * done}{'.' * (BAR - done)}] {fraction:4.0%} {text}"[:160], ending="")
        elif text != self._last:
            self.stdout.write(f"{fraction:4.0%} {text}")
        self._last = text
