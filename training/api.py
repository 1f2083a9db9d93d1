"""The API of training data, runs and models: parse, authorise, call, answer."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, HttpResponse
from rest_framework.decorators import api_view, parser_classes
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.selectors import label_set as label_set_of
from training import package as packages
from training import selectors, services
from training.models import Task
from training.specs import ExportSpec
from webapp.disk import check_room
from webapp.errors import Invalid, NotFound
from webapp.jobs.selectors import job_json
from webapp.projects import access
from webapp.projects.models import User
from webapp.projects.paging import page
from webapp.projects.parsers import SafeJSONParser

# Samples and files never change under their address.
KEEP = "private, max-age=31536000, immutable"


@api_view(["GET", "POST"])
@access.keeps_role
def training_data_list(request: Request) -> Response:
    """List training data (GET), or export a label set.

    POST {label_set, name, metadata_format, chip_px, stride_px, resolution_m, bands, extent, validation, seed,
    features_only}; all but `label_set` have defaults.
    """
    if request.method == "POST":
        body = dict(fields(request))
        found = label_set_of(uuid_of(body.pop("label_set", None), "label_set"))
        access.authorise(request._request, found.project)
        name = text_of(body, "name")
        body.pop("name", None)
        data = services.export(label_set=found, user=person(request), spec=ExportSpec.parse(body), name=name)
        return Response(selectors.training_data_json(selectors.training_data(data.pk)), status=201)
    rows, following = page(selectors.training_data_of(projects(request)), request)
    return Response({"results": [selectors.training_data_json(row) for row in rows], "next": following})


@api_view(["GET", "DELETE"])
@access.keeps_role
def training_data(request: Request, pk: UUID) -> Response:
    """Show training data, or delete it: your own, or any as a manager."""
    found = selectors.training_data(pk)
    role = access.authorise(request._request, found.project)
    if request.method == "DELETE":
        access.require_author_or_manager(request._request, role, found.created_by_id, "training data")
        services.delete_data(data=found, user=person(request))
        return Response(status=204)
    return Response(selectors.training_data_json(found))


@api_view(["GET"])
def training_data_deletion(request: Request, pk: UUID) -> Response:
    """Say what deleting the training data would remove, and what stands in the way."""
    found = selectors.training_data(pk)
    access.authorise(request._request, found.project)
    return Response(services.data_consequences(found).as_json())


@api_view(["GET"])
def training_data_sample(request: Request, pk: UUID, number: int) -> HttpResponse:
    """Send the picture of a sample chip with its labels."""
    found = selectors.training_data(pk)
    access.authorise(request._request, found.project)
    path = selectors.folder_of(found) / "samples" / f"{number}.png"
    if not path.is_file():
        raise NotFound("picture")
    return HttpResponse(path.read_bytes(), content_type="image/png", headers={"Cache-Control": KEEP})


@api_view(["GET", "POST"])
@access.keeps_role
def runs(request: Request) -> Response:
    """List runs (GET; `?training_data=`), or start one (POST {training_data, network, settings, name})."""
    if request.method == "POST":
        body = fields(request)
        data = selectors.training_data(uuid_of(body.get("training_data"), "training_data"))
        access.authorise(request._request, data.project)
        settings = body.get("settings", {})
        if not isinstance(settings, dict):
            raise Invalid("settings is no JSON object.", fix='Send {"epochs": 20, …} or leave it out.')
        run = services.start_run(
            training_data=data,
            user=person(request),
            network=text_of(body, "network"),
            settings=settings,
            name=text_of(body, "name"),
        )
        return Response(selectors.run_json(selectors.run(run.pk)), status=201)
    wanted = request.query_params.get("training_data")
    found = selectors.runs_of(projects(request), data=uuid_of(wanted, "training_data") if wanted else None)
    rows, following = page(found, request)
    return Response({"results": [selectors.run_json(row) for row in rows], "next": following})


@api_view(["GET", "DELETE"])
@access.keeps_role
def run(request: Request, pk: UUID) -> Response:
    """Show a run, or delete it: your own, or any as a manager. Its model stays."""
    found = selectors.run(pk)
    role = access.authorise(request._request, found.project)
    if request.method == "DELETE":
        access.require_author_or_manager(request._request, role, found.created_by_id, "run")
        services.delete_run(run=found, user=person(request))
        return Response(status=204)
    return Response(selectors.run_json(found))


@api_view(["GET"])
def run_deletion(request: Request, pk: UUID) -> Response:
    """Say what deleting the run would remove, and what stands in the way."""
    found = selectors.run(pk)
    access.authorise(request._request, found.project)
    return Response(services.run_consequences(found).as_json())


@api_view(["GET"])
def epochs(request: Request, pk: UUID) -> Response:
    """List a run's epochs after number `?after=`; the last one may still be running."""
    found = selectors.run(pk)
    access.authorise(request._request, found.project)
    after = request.query_params.get("after", "0")
    if not after.isascii() or not after.isdigit() or len(after) > 9:
        raise Invalid(f"after is '{after[:20]}'.", fix="Give the number of the last finished epoch you have, or 0.")
    return Response({"results": selectors.epochs(found, after=int(after)), "next": None})


@api_view(["GET", "POST"])
@parser_classes([SafeJSONParser, MultiPartParser])
def models(request: Request) -> Response:
    """List installed models (GET; `?task=`), or install one (POST multipart {project, file}): answers with the job."""
    if request.method == "POST":
        return install(request)
    task = request.query_params.get("task", "")
    if task and task not in Task.values:
        raise Invalid(f"There is no task '{task[:40]}'.", fix=f"Use one of {', '.join(Task.values)}.")
    rows, following = page(selectors.packages_of(projects(request), task=task), request)
    return Response({"results": [selectors.package_json(row) for row in rows], "next": following})


def install(request: Request) -> Response:
    """Take an uploaded package."""
    # Before the body is looked at, as it is kept on the disk as a whole to do so.
    check_room(int(request.META.get("CONTENT_LENGTH") or 0))
    project = access.project_for(request._request, uuid_of(fields(request).get("project"), "project"))
    file = request.FILES.get("file") if request.FILES else None
    if not isinstance(file, UploadedFile):
        raise Invalid("There is no file in the request.", fix="Send multipart/form-data with project and file.")
    job = services.install_package(
        project=project,
        user=person(request),
        chunks=file.chunks(),
        filename=file.name or "",
        size_bytes=file.size or 0,
    )
    return Response({"job": job_json(job)}, status=202)


@api_view(["GET", "DELETE"])
@access.keeps_role
def model(request: Request, pk: UUID) -> Response:
    """Show a model with where it was used (GET), or uninstall it (DELETE)."""
    found = selectors.package(pk)
    access.authorise(request._request, found.project)
    if request.method == "DELETE":
        services.uninstall(package=found, user=person(request))
        return Response(status=204)
    return Response(selectors.package_json(found) | {"used_by": selectors.uses_of(found)})


@api_view(["GET"])
def download(request: Request, pk: UUID) -> FileResponse:
    """Send the package's `.dlpk`."""
    found = selectors.package(pk)
    access.authorise(request._request, found.project)
    path = selectors.package_file(found)
    name = f"{packages.file_name(found.name)}.dlpk"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="application/zip")


@api_view(["GET"])
def sample(request: Request, pk: UUID, number: int, what: str) -> HttpResponse:
    """Send a sample picture: image, truth or prediction."""
    found = selectors.package(pk)
    access.authorise(request._request, found.project)
    picture = selectors.sample_picture(found, number, what)
    return HttpResponse(picture, content_type="image/png", headers={"Cache-Control": KEEP})


def projects(request: Request) -> Any:
    """Return the projects of a list route, narrowed by `?project=`."""
    visible = access.visible_projects(request._request)
    wanted = request.query_params.get("project")
    return visible.filter(pk=uuid_of(wanted, "project")) if wanted else visible


def fields(request: Request) -> Mapping[str, Any]:
    """Return the body as an object."""
    if not isinstance(request.data, dict):
        raise Invalid("The body is no JSON object.", fix="Send a JSON object.")
    return request.data


def text_of(values: Mapping[str, Any], key: str) -> str:
    """Return a text field; empty where absent."""
    value = values.get(key, "")
    if not isinstance(value, str) or len(value) > services.MAX_NAME:
        raise Invalid(f"{key} is no text of at most {services.MAX_NAME} characters.", fix="Send a shorter string.")
    return value.strip()


def uuid_of(value: Any, key: str) -> UUID:
    """Return an id of the body or the query."""
    try:
        return UUID(str(value))
    except ValueError:
        raise Invalid(f"{key} is '{str(value)[:40]}'.", fix=f"Give the id of the {key.replace('_', ' ')}.") from None


def person(request: Request) -> User | None:
    """Return who asks."""
    return request.user if isinstance(request.user, User) else None
