"""The content list: everything of the caller's projects, newest first. An entry module, so it sees all rooms."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Greatest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from inference.models import Inference
from labeling.models import LabelSet
from training.models import ModelPackage, Run, TrainingData
from webapp.demo.selectors import find_project
from webapp.errors import Invalid
from webapp.features.models import FeatureLayer
from webapp.imagery.models import ImageryLayer
from webapp.maps.models import Map
from webapp.maps.selectors import open_maps
from webapp.projects import access
from webapp.projects.models import Project, Role, User
from webapp.projects.selectors import with_roles

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_QUERY = 200

Viewer = User | AnonymousUser


@dataclass(frozen=True)
class Kind:
    """One kind of content: where its rows are and what the list says of them.

    Attributes:
        rows: all rows, with `modified` annotated.
        page: URL name of an object's page.
        facts: columns that `detail` makes a short line of.
        detail: the line.
        open_to: condition on the rows that a member of the project may see.
    """

    rows: Callable[[], QuerySet[Any]]
    page: str
    facts: tuple[str, ...]
    detail: Callable[[dict[str, Any]], str]
    open_to: Callable[[Viewer], Q] = lambda user: Q()


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: the next page starts after it."""

    modified: datetime
    id: UUID


SHARED = {Map.Share.PRIVATE: "private", Map.Share.LINK: "anyone with the link", Map.Share.PUBLIC: "public"}


def _metres(value: float) -> str:
    return f"{value:.2g} m" if value < 10 else f"{value:.0f} m"


IMAGERY_KINDS = {ImageryLayer.Kind.CLASS_RASTER: "class raster, ", ImageryLayer.Kind.MOSAIC: "mosaic, "}
KINDS: dict[str, Kind] = {
    "map": Kind(
        lambda: Map.objects.annotate(modified=F("updated_at")),
        "map",
        ("share",),
        lambda row: SHARED.get(row["share"], ""),
        open_maps,
    ),
    "imagery": Kind(
        lambda: ImageryLayer.objects.annotate(modified=F("updated_at")),
        "imagery",
        ("kind", "width", "height", "gsd_m", "state"),
        lambda row: f"{IMAGERY_KINDS.get(row['kind'], '')}{row['width']} × {row['height']} px, {_metres(row['gsd_m'])}",
    ),
    "photos": Kind(
        lambda: FeatureLayer.objects.filter(kind=FeatureLayer.Kind.PHOTOS).annotate(
            modified=F("updated_at"), photo_count=Count("photos")
        ),
        "photos",
        ("photo_count", "feature_count"),
        lambda row: f"{row['photo_count']} photos, {row['feature_count']} placed",
    ),
    "label_set": Kind(
        lambda: LabelSet.objects.annotate(modified=Greatest("updated_at", "layer__updated_at")),
        "label",
        ("imagery__name", "layer__feature_count"),
        lambda row: f"{row['layer__feature_count']} samples on {row['imagery__name']}",
    ),
    "training_data": Kind(
        lambda: TrainingData.objects.annotate(modified=F("created_at")),
        "training-data",
        ("metadata_format", "label_set__name"),
        lambda row: f"{row['metadata_format']} of {row['label_set__name']}",
    ),
    "run": Kind(
        lambda: Run.objects.annotate(modified=F("created_at")),
        "run",
        ("network", "job__state"),
        lambda row: f"{row['network']}{', ' + row['job__state'] if row['job__state'] else ''}",
    ),
    "model": Kind(
        lambda: ModelPackage.objects.filter(uninstalled_at=None).annotate(modified=F("created_at")),
        "model",
        ("network", "task"),
        lambda row: f"{row['network']}, {row['task'].replace('_', ' ')}",
    ),
    "inference": Kind(
        lambda: Inference.objects.annotate(modified=F("created_at")),
        "inference",
        ("task", "imagery__name", "job__state"),
        lambda row: f"{row['task'].replace('_', ' ')} on {row['imagery__name']}",
    ),
}


def rows_of(
    name: str, *, projects: QuerySet[Project], user: Viewer, query: str, after: Cursor | None, limit: int
) -> list[dict[str, Any]]:
    """Return at most `limit` rows of one kind in one query, the newest first, after a cursor."""
    kind = KINDS[name]
    rows = kind.rows().filter(kind.open_to(user), project__in=projects)
    for word in query.split():
        rows = rows.filter(Q(name__icontains=word) | Q(project__name__icontains=word))
    if after is not None:
        rows = rows.filter(Q(modified__lt=after.modified) | Q(modified=after.modified, pk__lt=after.id))
    owner = {"owner": F("created_by__username"), "project_name": F("project__name")}
    columns = ("id", "name", "project_id", "modified", *kind.facts)
    found = rows.order_by("-modified", "-pk").values(*columns, **owner)[:limit]
    return [_shown(name, kind, row) for row in found]


def _shown(name: str, kind: Kind, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": name,
        "id": str(row["id"]),
        "name": row["name"],
        "project": {"id": str(row["project_id"]), "name": row["project_name"]},
        "owner": row["owner"],
        "modified": row["modified"],
        "detail": kind.detail(row),
        "building": row.get("state") == "building",
        "url": reverse(kind.page, args=[row["id"]]),
    }


def _cursor(text: str) -> Cursor | None:
    if not text:
        return None
    moment, _, pk = text.partition("~")
    try:
        modified = parse_datetime(moment)
        last = UUID(pk)
    except ValueError:
        modified = None
    if modified is None or modified.tzinfo is None:
        raise Invalid("This page of the list is unknown.", fix="Start again without `after`.")
    return Cursor(modified, last)


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_LIMIT:
        raise Invalid(f'A limit of "{text}" is not possible.', fix=f"Send 1 to {MAX_LIMIT}.")
    return int(text)


def home(request: HttpRequest) -> HttpResponse:
    """Show the content list."""
    projects = access.visible_projects(request)
    rows = with_roles(projects, request.user) if isinstance(request.user, User) else []
    demo = find_project()
    mine = next((row for row in rows if demo is not None and row["id"] == str(demo.pk)), None)
    config = {
        "projects": [{"id": row["id"], "name": row["name"], "role": row["role"]} for row in rows],
        # The button is there for those whom the route lets run it.
        "demo": None if demo is None or mine is None or mine["role"] == Role.VIEWER.label else _demo(demo),
    }
    return render(request, "home.html", {"config": config})


def _demo(project: Project) -> dict[str, Any]:
    """Return what the demo's card says before it was run."""
    assumed = ImageryLayer.objects.filter(project=project, kind=ImageryLayer.Kind.SCENE, position_assumed=True)
    return {"assumed": list(assumed.order_by("created_at").values_list("name", flat=True))}


@api_view(["GET"])
def content(request: Request) -> Response:
    """List everything the caller may see: GET ?q=&kind=&project=&limit=&after=."""
    given = request.query_params
    kind, project, query = given.get("kind", ""), given.get("project", ""), given.get("q", "").strip()
    if kind and kind not in KINDS:
        raise Invalid(f'"{kind}" is no kind of content.', fix=f"Use one of {', '.join(KINDS)}.")
    if len(query) > MAX_QUERY:
        raise Invalid(f"A search of {len(query)} characters is too long.", fix=f"Keep to {MAX_QUERY}.")
    limit, after = _limit(given.get("limit", str(DEFAULT_LIMIT))), _cursor(given.get("after", ""))
    projects = access.visible_projects(request._request)
    if project:
        projects = projects.filter(pk=_project(project))
    names = [kind] if kind else list(KINDS)
    found = [
        row
        for name in names
        for row in rows_of(name, projects=projects, user=request.user, query=query, after=after, limit=limit + 1)
    ]
    found.sort(key=lambda row: (row["modified"], row["id"]), reverse=True)
    page = found[:limit]
    more = None
    if len(found) > limit:
        last = f"{page[-1]['modified'].isoformat()}~{page[-1]['id']}"
        more = f"{request.path}?{urlencode({**given.dict(), 'after': last})}"
    return Response({"results": page, "next": more})


def _project(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(f'"{text}" is no project id.', fix="Use the id in a project's address.") from error
