"""Whoever was removed or lowered while a request was under way writes nothing; whoever removes them does not wait."""

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse
from django.urls import get_resolver

from labeling import comment_services
from labeling.models import Comment
from labeling.services import create_label_set
from tests.factories import client_for, make_imagery, make_project, make_user
from tests.projects.test_api import wait_for_locks
from webapp.errors import Unavailable
from webapp.features import importing
from webapp.features.models import Feature
from webapp.features.numbering import lock
from webapp.projects import access, services
from webapp.projects.models import Member, Role
from webapp.projects.routes import ROUTES

# They open their own transactions, and call `hold_role` in each: long bodies, or many transactions.
HOLD_THEMSELVES = {
    "api-layer-edits",
    "api-label-set-edits",
    "api-layer-import",
    "api-label-set-agreement-settle",
    "ogc-items",
    "ogc-item",
}
# Changes of memberships look at the role again under the lock of all memberships.
MEMBERSHIPS = {"api-project-members", "api-project-member"}
# They write nothing that people drew or wrote: they read, keep a file for later, or start or stop a job.
NOTHING_WRITTEN = {
    "api-label-set-tasks-preview",
    "api-label-set-assist",
    "api-label-set-imports",
    "api-layer-imports",
    "api-photo-files",
    "api-inference-estimate",
    "api-job-cancel",
    "api-models",
    "api-demo",
    "api-imagery-remote-look",
    # imagery comes in by jobs
    "api-uploads",
    "api-upload",
    "api-upload-complete",
    "api-imagery-folders",
    "api-imagery-remote",
    "api-imagery-source",
    "api-mosaics",
    "api-imagery-mosaic",
}
WRITING = [
    (name, method)
    for name, rules in ROUTES.items()
    for method, rule in rules.items()
    if rule.audience in ("member", "link") and method not in ("GET", "*")
]
AREA = '{"type": "FeatureCollection", "features": [%s]}'
SAMPLE = '{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [85.52, 27.63]}}'


def function_of(name: str, method: str) -> Callable[..., HttpResponse]:
    """Return the function that REST framework's `api_view` has wrapped."""
    [view] = [entry.callback for entry in patterns(get_resolver().url_patterns) if entry.name == name]
    found: Callable[..., HttpResponse] = inspect.getclosurevars(getattr(view.cls, method.lower())).nonlocals["func"]
    return found


def patterns(entries: Any) -> Any:
    for entry in entries:
        yield from patterns(entry.url_patterns) if hasattr(entry, "url_patterns") else [entry]


@pytest.mark.parametrize(("name", "method"), WRITING)
def test_every_route_that_writes_holds_the_role_of_its_caller(name: str, method: str) -> None:
    if name in HOLD_THEMSELVES | MEMBERSHIPS | NOTHING_WRITTEN:
        return
    assert hasattr(function_of(name, method), "keeps_role"), "put @access.keeps_role under @api_view"


@pytest.mark.django_db(transaction=True)
def test_a_role_is_held_from_the_check_to_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    ana, ben = make_user("ana"), make_user("ben")
    project = make_project(ana, labeler=ben)
    label_set = create_label_set(project=project, name="Roofs", imagery=make_imagery(project), classes=[], user=ana)
    url, tried = f"/api/label-sets/{label_set.pk}/comments", []

    def take_away() -> str:
        try:
            with transaction.atomic():
                Member.objects.select_for_update(nowait=True).get(user=ben)
            return "taken"
        except DatabaseError:
            return "held"
        finally:
            connection.close()

    def ring(_: object) -> None:
        with ThreadPoolExecutor(1) as pool:
            tried.append(pool.submit(take_away).result(timeout=10))

    monkeypatch.setattr(comment_services, "ring", ring)
    body = {"id": str(uuid4()), "text": "Is this one roof?", "lon": 85.52, "lat": 27.63}
    assert client_for(ben).post(url, body, content_type="application/json").status_code == 201
    assert tried == ["held"]
    Member.objects.filter(user=ben).update(role=Role.VIEWER)
    body["id"] = str(uuid4())
    assert client_for(ben).post(url, body, content_type="application/json").status_code == 403
    assert Comment.objects.count() == 1


@pytest.mark.django_db
def test_who_is_removed_while_the_file_comes_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ana, ben = make_user("ana"), make_user("ben")
    project = make_project(ana, labeler=ben)
    layer = create_label_set(project=project, name="Roofs", imagery=make_imagery(project), classes=[], user=ana).layer
    # The room on the disk is looked at between the check of the route and the transaction.
    monkeypatch.setattr(importing, "check_room", lambda _: Member.objects.filter(user=ben).delete())
    url = f"/api/layers/{layer.pk}/import"
    answer = client_for(ben).post(url, AREA % SAMPLE, content_type="application/geo+json")
    assert answer.status_code == 404
    assert not Feature.objects.exists()


@contextmanager
def closing() -> Any:
    try:
        yield
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_removal_does_not_wait_for_an_import_that_somebody_elses_edits_wait_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(access, "HOLD_WAIT_MS", 2_000)
    ana, ben = make_user("ana"), make_user("ben")
    project = make_project(ana, labeler=ben)
    layer = create_label_set(project=project, name="Roofs", imagery=make_imagery(project), classes=[], user=ana).layer
    edit: dict[str, Any] = {"op_id": str(uuid4()), "action": "create", "id": str(uuid4()), "base_version": 0}
    edit["geometry"] = {"type": "Point", "coordinates": [85.52, 27.63]}

    def draw() -> tuple[int, str]:
        with closing():
            url = f"/api/layers/{layer.pk}/edits"
            answer = client_for(ben).post(url, {"edits": [edit]}, content_type="application/json")
            return answer.status_code, answer.json()["code"]

    def remove() -> None:
        with closing():
            member = Member.objects.select_related("user", "project").get(user=ben)
            services.remove_member(member=member, user=ana, own_role=Role.OWNER)

    with ThreadPoolExecutor(2) as pool, transaction.atomic():
        lock(layer)  # as an import does while it stores
        drawn = pool.submit(draw)
        wait_for_locks(1)
        pool.submit(remove).result(timeout=10)
        assert drawn.result(timeout=10) == (503, "busy")
        # What is sent again comes too late, whoever still holds the layer.
        assert pool.submit(draw).result(timeout=10) == (404, "not_found")
    assert not Feature.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_removal_that_cannot_be_had_soon_says_so_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "REMOVAL_WAIT_MS", 200)
    ana, ben = make_user("ana"), make_user("ben")
    project = make_project(ana, labeler=ben)

    def remove() -> None:
        with closing():
            member = Member.objects.select_related("user", "project").get(user=ben)
            services.remove_member(member=member, user=ana, own_role=Role.OWNER)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            access.hold_role(ben, project, Role.LABELER)
            with pytest.raises(Unavailable, match="ben is storing something large") as told:
                pool.submit(remove).result(timeout=10)
            assert told.value.code == "busy"
        assert Member.objects.filter(user=ben).exists()
        pool.submit(remove).result(timeout=10)
    assert not Member.objects.filter(user=ben).exists()
