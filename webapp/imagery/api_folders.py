"""The API of folders of the server's own disk."""

from pathlib import PurePosixPath
from typing import Any

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import Invalid
from webapp.imagery import folders
from webapp.projects import access
from webapp.projects.models import User


@api_view(["GET", "POST"])
def folder_list(request: Request) -> Response:
    """List what lies in `?folder=` for `?project=` (without one: the opened folders).

    POST takes rasters of a folder: `{project, folder, names, epsg, options}`; answers the job of each that is taken,
    and why the others are not.
    """
    if request.method == "POST":
        return _take(request)
    project = access.project_for(request, request.query_params.get("project"))
    folder = request.query_params.get("folder")
    if not folder:
        return Response({"folders": folders.roots(), "folder": None, "up": None, "left_out": 0, "entries": []})
    found = folders.entries(folder, project)
    above = str(PurePosixPath(folder).parent)
    return Response(
        {
            "folders": folders.roots(),
            "folder": folder,
            "up": None if folder in folders.roots() else above,
            "left_out": found.left_out,
            "entries": [
                {
                    "name": row.name,
                    "kind": "folder" if row.is_folder else "file",
                    "size_bytes": row.size_bytes,
                    "known": row.known,
                }
                for row in found.entries
            ],
        }
    )


def _take(request: Request) -> Response:
    body: Any = request.data
    if not isinstance(body, dict):
        raise Invalid("The body is not a JSON object.", fix="Send an object.")
    project = access.project_for(request, body.get("project"))
    names, options = body.get("names"), body.get("options") or {}
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Invalid("'names' is no list of file names.", fix="Send a list of texts.")
    if not isinstance(options, dict) or "name" in options:
        raise Invalid("'options' cannot be used.", fix="Send an object without a name: each layer has its file's.")
    user = request.user
    assert isinstance(user, User)
    taken = folders.take(
        project=project,
        user=user,
        folder=str(body.get("folder") or ""),
        names=names,
        epsg=str(body.get("epsg") or ""),
        options=options,
    )
    told = {
        "jobs": [{"name": name, "job": str(job.pk)} for name, job in taken.jobs],
        "refused": [
            {"name": name, "code": why.code, "message": why.message, "fix": why.fix} for name, why in taken.refused
        ],
    }
    return Response(told, status=202)
