"""What no route may answer with 500, whatever it is for: bodies and addresses that the database cannot take."""

import json

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from labeling.services import create_label_set
from tests.factories import client_for, make_imagery, make_project, make_user
from webapp.projects.models import Project

pytestmark = pytest.mark.django_db

POSTED = [
    "api-uploads",
    "api-imagery-remote",
    "api-imagery-remote-look",
    "api-runs",
    "api-training-data-list",
    "api-inferences",
    "api-maps",
    "api-label-sets",
]
BODIES = {
    "nested too deep": b"[" * 100_000,
    "thousands of digits": b'{"project": ' + b"9" * 5000 + b"}",
    "half a surrogate pair": b'{"project": "\\ud800", "imagery": "\\ud800"}',
    "NUL": b'{"project": "\\u0000", "imagery": "\\u0000"}',
    "UTF-16": '{"project": 1}'.encode("utf-16"),
}


@pytest.fixture
def project() -> Project:
    return make_project(make_user("ana"))


@pytest.fixture
def client(project: Project) -> Client:
    return client_for(make_user("ana"))


@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize("name", POSTED)
def test_a_body_that_nothing_can_hold_is_refused(client: Client, name: str, what: str) -> None:
    answer = client.post(reverse(name), BODIES[what], content_type="application/json")
    assert answer.status_code in (400, 404)
    assert set(answer.json()) == {"code", "message", "fix", "details"}


@pytest.mark.parametrize("field", ["name", "description"])
def test_texts_of_a_label_set_that_nothing_can_hold_are_refused(client: Client, project: Project, field: str) -> None:
    found = create_label_set(project=project, name="Roofs", imagery=make_imagery(project), classes=[], user=None)
    for text in ("\ud800", "\x00"):
        body = json.dumps({field: text})
        answer = client.patch(f"/api/label-sets/{found.pk}/", body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, field)


@pytest.mark.parametrize("address", ["/api/imagery/?kind=%00", "/api/content/?q=a%00b", "/?q=%00"])
def test_an_address_with_nul_is_refused(client: Client, address: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.json()["code"]) == (400, "encoding")


@pytest.mark.parametrize("address", ["/api/none", "/api/imagery/17/", "/ogc/none"])
def test_an_address_of_the_api_that_leads_nowhere_answers_json_to_a_browser_too(client: Client, address: str) -> None:
    answer = client.get(address, HTTP_ACCEPT="text/html")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_what_nobody_foresaw_is_json_on_the_api(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: object) -> None:
        raise RuntimeError("inside")

    monkeypatch.setattr("webapp.projects.access.visible_projects", broken)
    client.raise_request_exception = False
    answer = client.get("/api/jobs/")
    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert "inside" not in answer.content.decode()


def test_a_database_that_is_away_is_503_and_not_a_fault_of_the_site(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("webapp.projects.access.visible_projects", away)
    answer = client.get("/api/jobs/")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    monkeypatch.setattr("webapp.pages.connection.cursor", away)
    assert client.get("/readyz").status_code == 503
