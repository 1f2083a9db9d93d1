"""`manage.py ingest FILE|FOLDER|URL`: bring imagery in from the command line, through the same job as an upload.

A COG at a URL stays where it lies; `--copy` copies it here.

One bar runs over all files, a line is told for each, and a report at the end. What the project has already, byte for
byte, is passed over: a folder that was interrupted is simply given again.
"""

import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from tqdm import tqdm

from webapp.errors import QuadratError
from webapp.imagery import remote, storage, uploads
from webapp.imagery.folders import SUFFIXES, WORLD_SUFFIXES
from webapp.imagery.models import ImageryLayer
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.jobs.services import FINAL, LeaseLost
from webapp.projects.models import Member, Project, Role, User
from webapp.remote import policy

URLS = ("https://", "http://", "s3://")
LOOK_EVERY_S = 0.5


class Command(BaseCommand):
    """Ingest a raster, or all rasters of a folder."""

    help = "Bring imagery in: GeoTIFF, or PNG/JPEG with a world file or a given position."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("source", help="a raster, a folder of rasters, or the URL of one (https://… or s3://…)")
        parser.add_argument("--copy", action="store_true", help="copy the file at a URL here")
        parser.add_argument("--project", help="id or name of the project (default: the only one)")
        parser.add_argument("--name", default="", help="name of the layer (default: the file's)")
        parser.add_argument("--attribution", default="", help="whose imagery it is, shown on every map")
        parser.add_argument("--epsg", help="EPSG code, where the file does not say")
        parser.add_argument("--bounds", help="west,south,east,north in --epsg (default 4326), placed by hand")
        parser.add_argument("--centre", help="lon,lat of the picture's centre, placed by hand; with --gsd")
        parser.add_argument("--gsd", type=float, help="ground size of a pixel in metres, with --centre")
        parser.add_argument("--world-file", type=Path, help="world file; one beside a picture is found by itself")
        parser.add_argument("--note", default="", help="who says where a picture placed by hand lies")
        parser.add_argument("--nodata", type=float, help="value of pixels without data, where the file does not say")
        parser.add_argument("--again", action="store_true", help="take files that the project has already, too")
        parser.add_argument("--json", action="store_true", help="JSON lines instead of a progress bar")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ingest file after file; the exit status is 1 where one could not be taken."""
        source: str = options["source"]
        project, user = _project(options["project"])
        if source.startswith(URLS):
            self._by_url(source, project, user, options)
            return
        files = _files(Path(source))
        if len(files) > 1 and options["name"]:
            raise CommandError("--name names one layer; leave it out for a folder.")
        lines = []
        with _bar(len(files), as_json=options["json"]) as bar:
            for number, file in enumerate(files):
                line = {"file": str(file), **self._outcome(file, number, bar, project, user, options)}
                lines.append(line)
                with tqdm.external_write_mode(file=sys.stderr):
                    self._tell(options, line)
        self._report(lines, as_json=options["json"])

    def _by_url(self, url: str, project: Project, user: User, options: dict[str, Any]) -> None:
        """Add the raster at a URL."""
        given = {key: options[key] for key in ("name", "attribution", "nodata") if options[key] not in (None, "")}
        try:
            shown = policy.current().check(url)
            if options["copy"]:
                job = _finished(uploads.fetch(project=project, user=user, url=url, options=given))
                if job.state != Job.State.SUCCEEDED:
                    raise QuadratError(job.error_message or job.message, fix=job.error_fix, code=job.error_code)
                line = {"file": shown.shown, **job.result}
            else:
                if "nodata" in given:
                    raise CommandError("--nodata is for files that are copied: add --copy.")
                checked = uploads.check_options(given, otherwise=shown.name)
                layer = remote.link(project=project, user=user, url=url, options=checked)
                line = {
                    "file": shown.shown,
                    "imagery": str(layer.pk),
                    "name": layer.name,
                    "url": layer.get_absolute_url(),
                }
        except QuadratError as error:
            raise CommandError(str(error)) from error
        self._tell(options, line)

    def _outcome(
        self, file: Path, number: int, bar: Any, project: Project, user: User, options: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            known = None if options["again"] else _known(file, project)
            if known is not None:
                return {"known": str(known.pk), "name": known.name, "url": known.get_absolute_url()}
            return self._ingest(file, number, bar, project, user, options)
        except QuadratError as error:
            return {"error": error.code, "message": error.message, "fix": error.fix}
        except OSError as error:  # one file that cannot be read must not end the batch
            return {
                "error": "unreadable",
                "message": f"It cannot be read: {error.strerror}.",
                "fix": "Mend its rights.",
            }

    def _report(self, lines: list[dict[str, Any]], *, as_json: bool) -> None:
        refused = [line for line in lines if "error" in line]
        known = [line for line in lines if "known" in line]
        counts = {"files": len(lines), "taken": len(lines) - len(refused) - len(known), "known": len(known)}
        if as_json:
            self.stdout.write(json.dumps({"report": {**counts, "refused": len(refused)}}))
        elif len(lines) > 1:
            told = f"{counts['taken']} of {len(lines)} files taken"
            self.stdout.write(f"{told}, {len(known)} were there already, {len(refused)} refused.")
        if refused:
            raise CommandError(f"{len(refused)} of {len(lines)} files could not be taken.")

    def _tell(self, options: dict[str, Any], line: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(line))
        elif "error" in line:
            self.stderr.write(f"{line['file']}: {line['message']} {line['fix']}")
        else:
            there = "is there already, as" if "known" in line else "is"
            self.stdout.write(f"{line['file']} {there} {line['name']} at {line['url']}")

    def _ingest(
        self, file: Path, number: int, bar: Any, project: Project, user: User, options: dict[str, Any]
    ) -> dict[str, Any]:
        layer_options = {"name": options["name"], "attribution": options["attribution"], "nodata": options["nodata"]}
        upload = uploads.begin(
            project=project,
            user=user,
            filename=file.name,
            size_bytes=file.stat().st_size,
            position=_position(file, options),
            options=layer_options,
        )
        shutil.copyfile(file, storage.quarantined_file(upload.pk))
        uploads.received(upload=upload)
        job = uploads.complete(upload=upload)
        done = threading.Event()
        watcher = threading.Thread(target=_watch, args=(job.pk, done, bar, number, file.name), daemon=True)
        watcher.start()
        try:
            job = _finished(job)
        finally:
            done.set()
            watcher.join()
        if job.state != Job.State.SUCCEEDED:
            raise QuadratError(job.error_message or job.message, fix=job.error_fix, code=job.error_code or job.state)
        return dict(job.result)


def _finished(job: Job) -> Job:
    """Return the job as it ended: run here, or by a worker that was faster."""
    try:
        return run_now(job)
    except LeaseLost:
        while job.state not in FINAL:
            time.sleep(LOOK_EVERY_S)
            job.refresh_from_db()
        return job


@contextmanager
def _bar(files: int, *, as_json: bool) -> Iterator[Any]:
    """Yield one bar over all files; None where JSON lines tell."""
    if as_json:
        yield None
        return
    form = "{desc}: {bar} {n:.1f} of {total_fmt} {postfix}"
    with tqdm(total=files, desc="Ingest", file=sys.stderr, bar_format=form, disable=None) as bar:
        yield bar


def _watch(pk: UUID, done: threading.Event, bar: Any, number: int, name: str) -> None:
    """Show the job's progress until it is done: it runs in the main thread and tells the database."""
    told = ""
    try:
        while not done.wait(LOOK_EVERY_S):
            progress, message = Job.objects.values_list("progress", "message").get(pk=pk)
            if bar is not None:
                bar.n = number + progress
                bar.set_postfix_str(f"{name}: {message}")
            elif message != told:
                told = message
                sys.stdout.write(json.dumps({"file": name, "progress": round(progress, 3), "message": message}) + "\n")
                sys.stdout.flush()
        if bar is not None:
            bar.n = number + 1
            bar.refresh()
    finally:
        connection.close()


def _known(file: Path, project: Project) -> ImageryLayer | None:
    """Return the layer that the project has of the same bytes."""
    digest = storage.sha256_of(file)
    return ImageryLayer.objects.filter(project=project, sha256=digest).order_by("created_at").first()


def _files(source: Path) -> list[Path]:
    if source.is_dir():
        found = sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        if not found:
            raise CommandError(f"{source} holds no raster ({', '.join(sorted(SUFFIXES))}).")
        return found
    if not source.is_file():
        raise CommandError(f"There is no file {source}.")
    return [source]


def _project(wanted: str | None) -> tuple[Project, User]:
    """Return the project and its first owner, in whose name the imagery comes in."""
    everything = Project.objects.filter(corner_of=None)
    projects = list(everything.order_by("created_at"))
    if wanted:
        projects = [project for project in projects if wanted in (str(project.pk), project.name)]
    if len(projects) != 1:
        known = ", ".join(f"'{project.name}'" for project in everything.order_by("name")[:10])
        raise CommandError(f"Name one project with --project. There are: {known or 'none'}.")
    member = Member.objects.filter(project=projects[0], role=Role.OWNER).select_related("user").order_by("pk").first()
    if member is None:
        raise CommandError(f"The project '{projects[0].name}' has no owner. Give it one in the admin.")
    return projects[0], member.user


def _position(file: Path, options: dict[str, Any]) -> dict[str, Any]:
    position: dict[str, Any] = {"epsg": options["epsg"], "note": options["note"]}
    world = options["world_file"] or next((path for path in _world_files(file) if path.is_file()), None)
    if options["bounds"]:
        position["bounds"] = options["bounds"].split(",")
    elif options["centre"]:
        position |= {"centre": options["centre"].split(","), "gsd_m": options["gsd"]}
        del position["epsg"]
    elif world is not None and (options["epsg"] or file.suffix.lower() not in (".tif", ".tiff")):
        position["world_file"] = world.read_text(errors="replace")[:2000]
    return {key: value for key, value in position.items() if value not in (None, "")}


def _world_files(file: Path) -> list[Path]:
    suffix = file.suffix.lower()
    if suffix not in WORLD_SUFFIXES:
        return []
    return [file.with_suffix(WORLD_SUFFIXES[suffix]), file.with_suffix(f"{suffix}w")]
