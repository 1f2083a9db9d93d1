"""`manage.py ingest FILE|FOLDER`: bring imagery in from the command line, through the same job as an upload."""

import json
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from tqdm import tqdm

from webapp.errors import QuadratError
from webapp.imagery import storage, uploads
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.jobs.services import FINAL, LeaseLost
from webapp.projects.models import Member, Project, Role, User

SUFFIXES = {".tif", ".tiff", ".png", ".jpg", ".jpeg"}
# World file of a picture: first and last letter of its suffix and a w (photo.png -> photo.pgw), or the suffix and w.
WORLD_SUFFIXES = {".tif": ".tfw", ".tiff": ".tfw", ".png": ".pgw", ".jpg": ".jgw", ".jpeg": ".jgw"}
LOOK_EVERY_S = 0.5


class Command(BaseCommand):
    """Ingest a raster, or all rasters of a folder."""

    help = "Bring imagery in: GeoTIFF, or PNG/JPEG with a world file or a given position."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("source", type=Path, help="a raster, or a folder of rasters")
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
        parser.add_argument("--json", action="store_true", help="JSON lines instead of a progress bar")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ingest file after file; the exit status is 1 where one could not be taken."""
        source: Path = options["source"]
        files = _files(source)
        project, user = _project(options["project"])
        if len(files) > 1 and options["name"]:
            raise CommandError("--name names one layer; leave it out for a folder.")
        failed = 0
        for file in files:
            try:
                result = self._ingest(file, project, user, options)
            except QuadratError as error:
                failed += 1
                told = {"error": error.code, "message": error.message, "fix": error.fix}
                self._tell(options, {"file": str(file), **told})
            else:
                self._tell(options, {"file": str(file), **result})
        if failed:
            raise CommandError(f"{failed} of {len(files)} files could not be taken.")

    def _tell(self, options: dict[str, Any], line: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(line))
        elif "error" in line:
            self.stderr.write(f"{line['file']}: {line['message']} {line['fix']}")
        else:
            self.stdout.write(f"{line['file']}: {line['name']} is at {line['url']}")

    def _ingest(self, file: Path, project: Project, user: User, options: dict[str, Any]) -> dict[str, Any]:
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
        watcher = threading.Thread(target=_watch, args=(job.pk, done, options["json"], file.name), daemon=True)
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


def _watch(pk: UUID, done: threading.Event, as_json: bool, name: str) -> None:
    """Show the job's progress until it is done: it runs in the main thread and tells the database."""
    form = "{desc}: {bar} {n:.0f} % {postfix}"
    bar = None if as_json else tqdm(total=100, desc=name, file=sys.stderr, bar_format=form, disable=None)
    told = ""
    try:
        while not done.wait(LOOK_EVERY_S):
            progress, message = Job.objects.values_list("progress", "message").get(pk=pk)
            if bar is not None:
                bar.n = round(100 * progress)
                bar.set_postfix_str(message)
            elif message != told:
                told = message
                sys.stdout.write(json.dumps({"file": name, "progress": round(progress, 3), "message": message}) + "\n")
                sys.stdout.flush()
    finally:
        if bar is not None:
            bar.close()
        connection.close()


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
    projects = list(Project.objects.order_by("created_at"))
    if wanted:
        projects = [project for project in projects if wanted in (str(project.pk), project.name)]
    if len(projects) != 1:
        known = ", ".join(f"'{project.name}'" for project in Project.objects.order_by("name")[:10])
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
