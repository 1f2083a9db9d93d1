"""Every route of the site against the table of who may call it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import path, reverse
from pytest_django import Settings

from tests.factories import client_for, make_project, make_token, make_user
from tests.security.world import World, make_world
from webapp.pages import server_error
from webapp.projects.docs import METHODS, Route, routes
from webapp.projects.models import Role
from webapp.projects.routes import ROUTES, Rule

pytestmark = pytest.mark.django_db

SITE = [route for route in routes() if not route.path.startswith("/admin/")]
BY_NAME = {route.name: route for route in SITE}
DECLARED = [(name, method) for name in BY_NAME for method in ROUTES.get(name, {}) if method != "*"]
OF_OBJECTS = [(n, m) for n, m in DECLARED if ROUTES[n][m].audience in ("member", "link") and "<" in BY_NAME[n].path]
# Their objects are files on disk, which a bare row does not have, or read over a connection of their own, which does
# not see a test's transaction.
NEED_FILES = {"api-model-sample", "stac-file", "ogc-tile", "api-training-data-sample"}
# Their bodies name another object, and an empty body names none.
NEED_BODY = {"api-map-layers", "api-label-set-offsets"}

# A search too long for an address.
READ_BY_POST = {("stac-search", "POST")}

# Running a job again needs the scope of starting one like it, too.
NEED_MORE_SCOPE = {"api-job-restart"}

# What services refuse on top of the table: other people's uploads, jobs and runs, removing others.
SERVICE_REFUSES = {
    ("api-job-cancel", "POST"),
    ("api-upload", "GET"),
    ("api-upload", "PATCH"),
    ("api-upload", "DELETE"),
    ("api-upload-complete", "POST"),
    ("api-project-member", "DELETE"),
    ("api-comment", "DELETE"),
    ("api-training-data", "DELETE"),
    ("api-run", "DELETE"),
    ("api-inference", "DELETE"),
}


@pytest.fixture
def world() -> World:
    """One world for all routes of a test: what a call changes is taken back before the next."""
    return make_world()


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def parameters(route: Route) -> list[str]:
    return re.findall(r"<(?:\w+:)?(\w+)>", route.path)


def url_of(name: str, world: World) -> str:
    return reverse(name, kwargs=world.kwargs(name, parameters(BY_NAME[name])))


def call(client: Client, method: str, url: str, **headers: str) -> HttpResponse:
    body = {} if method in ("GET", "DELETE") else {"data": "{}", "content_type": "application/json"}
    return client.generic(method, url, **body, **headers)  # type: ignore[arg-type]


def status_by_token(method: str, url: str, token: str) -> int:
    return call(Client(), method, url, HTTP_AUTHORIZATION=f"Bearer {token}").status_code


def is_page(name: str) -> bool:
    return not hasattr(BY_NAME[name].view, "cls")


def test_every_route_is_declared_and_no_declaration_is_stale() -> None:
    names = [route.name for route in SITE]
    assert "" not in names, [route.path for route in SITE if not route.name]
    assert sorted(set(names)) == sorted(ROUTES)
    assert len(names) == len(set(names)), "two routes of one name share one rule by accident"


def test_every_rule_names_a_method_that_its_view_takes() -> None:
    for name, method in DECLARED:
        taken = getattr(getattr(BY_NAME[name].view, "cls", None), "http_method_names", None)
        if taken is not None:
            assert method.lower() in taken, f"{name} has a rule for {method}, which its view does not take"


def test_every_view_takes_only_methods_that_are_declared() -> None:
    for name, route in BY_NAME.items():
        taken = getattr(getattr(route.view, "cls", None), "http_method_names", [])
        undeclared = {method.upper() for method in taken} - set(ROUTES[name]) - {"OPTIONS", "HEAD", "TRACE"}
        if "*" not in ROUTES[name] and hasattr(route.view, "cls") and name != "api-schema":
            assert not undeclared, f"{name} takes {undeclared}, which the table does not open"


def test_methods_that_are_not_declared_are_refused(world: World, subtests: pytest.Subtests) -> None:
    client = client_for(world.people["owner"])
    for name in sorted(BY_NAME):
        if "*" in ROUTES[name]:
            continue
        url = url_of(name, world)
        for method in set(METHODS) - set(ROUTES[name]):
            with subtests.test(f"{method} {name}"), undone():
                answer = call(client, method, url)
                assert answer.status_code == 405
                assert set(answer["Allow"].split(", ")) >= set(ROUTES[name])


def test_head_and_options_are_answered_wherever_get_is(world: World, subtests: pytest.Subtests) -> None:
    client = client_for(world.people["owner"])
    for name in ("healthz", "home", "api-projects", "api-project", "api-project-members", "ogc-items", "stac-search"):
        url = url_of(name, world)
        with subtests.test(name), undone():
            got, head = client.get(url), client.head(url)
            assert (head.status_code, head.content) == (got.status_code, b"")
            assert head["Content-Type"] == got["Content-Type"]
            assert int(head["Content-Length"]) > 0
            if name not in ("healthz", "home"):  # pages know no OPTIONS
                told = client.options(url)
                assert told.status_code in (200, 204)
                assert {"GET", "HEAD", "OPTIONS"} <= set(told["Allow"].split(", "))


def test_strangers_reach_only_what_is_public(world: World, subtests: pytest.Subtests) -> None:
    for name, method in DECLARED:
        with subtests.test(f"{method} {name}"), undone():
            answer = call(Client(), method, url_of(name, world))
            if ROUTES[name][method].audience == "public":
                assert answer.status_code < 400
            elif is_page(name):
                assert answer.status_code == 302
                assert answer["Location"].startswith("/login/?next=")
            else:
                assert answer.status_code == 401


def test_an_owner_of_another_project_finds_nothing(world: World, subtests: pytest.Subtests) -> None:
    client = client_for(world.people["outsider"])
    for name, method in OF_OBJECTS:
        with subtests.test(f"{method} {name}"), undone():
            answer = call(client, method, url_of(name, world))
            assert answer.status_code == 404
            assert world.project.name not in answer.content.decode()


def test_members_reach_what_their_role_opens(world: World, subtests: pytest.Subtests) -> None:
    clients = {role: client_for(world.people[role.label]) for role in Role}
    tokens = {role: make_token(world.people[role.label]) for role in Role}
    for name, method in OF_OBJECTS:
        with subtests.test(f"{method} {name}"), undone():
            rule, url = ROUTES[name][method], url_of(name, world)
            for role in Role:
                # The OGC edge writes by token only: it has no CSRF check that a session would need.
                bearer = {"HTTP_AUTHORIZATION": f"Bearer {tokens[role]}"} if name.startswith("ogc-") else {}
                with undone():
                    answer = call(clients[role], method, url, **bearer)
                if role < rule.role:
                    assert answer.status_code == 403, role.label
                elif answer.status_code == 404:
                    assert name in NEED_FILES | NEED_BODY or name.startswith("api-upload"), role.label
                elif answer.status_code == 403:
                    assert (name, method) in SERVICE_REFUSES, role.label
                else:
                    assert answer.status_code < 500
                    assert answer.status_code != 401


def test_a_token_opens_only_its_scope_and_its_project(world: World, subtests: pytest.Subtests) -> None:
    owner, scopes = world.people["owner"], ("read", "edit", "run", "manage")
    lacking = {scope: make_token(owner, [other for other in scopes if other != scope]) for scope in scopes}
    enough = {scope: make_token(owner, [scope], project=world.project) for scope in scopes}
    elsewhere, outsiders = make_token(owner, project=make_project(owner)), make_token(world.people["outsider"])
    for name, method in OF_OBJECTS:
        if is_page(name):
            continue
        with subtests.test(f"{method} {name}"), undone():
            by, scope = partial(status_by_token, method, url_of(name, world)), ROUTES[name][method].scope
            assert by(lacking[scope]) == 403
            assert by(elsewhere) == 404
            assert by(outsiders) == 404
            assert by("qdt_unknown") == 401
            allowed = by(enough[scope])
            assert allowed not in (401, 403) or name.startswith("api-upload") or name in NEED_MORE_SCOPE
            assert allowed < 500


def test_another_site_cannot_use_the_session(world: World, subtests: pytest.Subtests) -> None:
    for name, method in DECLARED:
        if method == "GET":
            continue
        with subtests.test(f"{method} {name}"), undone():
            client = client_for(world.people["owner"], enforce_csrf_checks=True)
            assert call(client, method, url_of(name, world)).status_code == 403


def test_an_unknown_id_answers_as_somebody_elses(world: World, subtests: pytest.Subtests) -> None:
    client = client_for(world.people["outsider"])
    for name, method in OF_OBJECTS:
        with subtests.test(f"{method} {name}"), undone():
            theirs = call(client, method, url_of(name, world))
            kwargs = world.kwargs(name, parameters(BY_NAME[name])) | {"pk": world.others["unknown"]}
            nobodys = call(client, method, reverse(name, kwargs=kwargs))
            assert nobodys.status_code == theirs.status_code == 404
            if not is_page(name):
                assert nobodys.json() == theirs.json()


def forgetful(request: HttpRequest, pk: object = None) -> HttpResponse:
    return JsonResponse({"secret": "everything"})


urlpatterns = [path("forgetful/", forgetful, name="job"), path("undeclared/", forgetful, name="nowhere-declared")]


@pytest.fixture
def forgetful_site(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__


def test_a_view_that_forgets_its_check_answers_nothing(forgetful_site: None) -> None:
    client = client_for(make_user("ana"))
    client.raise_request_exception = False
    answer = client.get("/forgetful/")
    assert answer.status_code == 500
    assert "secret" not in answer.content.decode()
    # A person gets a page, also where neither the database nor the session can be asked for it.
    with CaptureQueriesContext(connection) as queries:
        shown = server_error(RequestFactory().get("/forgetful/?page=2", headers={"accept": "text/html"}))
    assert (shown.status_code, len(queries)) == (500, 0)
    assert 'href="/forgetful/?page=2"' in shown.content.decode()


def test_a_route_that_is_not_declared_is_refused(forgetful_site: None) -> None:
    answer = client_for(make_user("root", is_superuser=True)).get("/undeclared/")
    assert answer.status_code == 403
    assert "secret" not in answer.content.decode()


def test_a_member_who_was_removed_or_disabled_is_out_at_once(world: World) -> None:
    viewer = world.people["viewer"]
    client, url = client_for(viewer), f"/api/projects/{world.project.pk}/"
    token = make_token(viewer)
    assert client.get(url).status_code == 200
    viewer.memberships.all().delete()
    assert client.get(url).status_code == 404
    assert Client().get(url, HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 404
    type(viewer).objects.filter(pk=viewer.pk).update(is_active=False)
    assert client.get(url).status_code == 401
    assert Client().get(url, HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 401


def test_rules_say_what_they_mean() -> None:
    for name, rules in ROUTES.items():
        for method, rule in rules.items():
            assert isinstance(rule, Rule)
            if method not in ("GET", "*") and rule.audience != "public" and (name, method) not in READ_BY_POST:
                assert rule.scope != "read", "what changes something needs more than a token to read"
