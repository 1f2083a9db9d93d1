"""Jobs over the API."""

import pytest
from django.test import Client

from tests.factories import client_for, make_project, make_token, make_user
from webapp.jobs import services
from webapp.jobs.models import Job
from webapp.jobs.runner import run_now
from webapp.projects.models import Project, User

pytestmark = pytest.mark.django_db


def queued(project: Project | None, user: User | None = None, kind: str = "count", title: str = "Count") -> Job:
    return services.enqueue(project=project, kind=kind, spec={"steps": 1}, user=user, title=title)


def test_a_job_is_shown_with_its_error_and_where_to_look() -> None:
    ana = make_user("ana")
    job = run_now(queued(make_project(ana), ana, kind="refuse"))
    shown = client_for(ana).get(f"/api/jobs/{job.pk}/").json()
    assert shown["state"] == "failed"
    assert shown["error"] == {"code": "no_bands", "message": "The scene has no bands.", "fix": "Take another scene."}
    assert (shown["url"], shown["project"], shown["created_by"]) == (f"/jobs/{job.pk}/", str(job.project_id), "ana")
    assert shown["finished_at"]


def test_the_list_narrows_by_project_and_state_and_hides_what_is_not_yours() -> None:
    ana, ben = make_user("ana"), make_user("ben")
    mine, also, other = make_project(ana), make_project(ana), make_project(ben)
    done, waiting = run_now(queued(mine, ana)), queued(also, ana)
    queued(other, ben)
    client = client_for(ana)

    def ids(query: str) -> set[str]:
        return {row["id"] for row in client.get(f"/api/jobs/{query}").json()["results"]}

    assert ids("") == {str(done.pk), str(waiting.pk)}
    assert ids(f"?project={mine.pk}") == {str(done.pk)}
    assert ids("?state=unfinished") == {str(waiting.pk)}
    assert ids("?state=succeeded") == {str(done.pk)}
    assert ids(f"?project={other.pk}") == set()


def test_pages_of_the_list_hold_every_job_once() -> None:
    ana = make_user("ana")
    project = make_project(ana)
    wanted = [str(queued(project, ana).pk) for _ in range(7)]
    Job.objects.update(created_at=Job.objects.latest("created_at").created_at)
    client, seen, url = client_for(ana), list[str](), "/api/jobs/?limit=3"
    while url:
        answer = client.get(url).json()
        seen += [row["id"] for row in answer["results"]]
        url = answer["next"]
    assert sorted(seen) == sorted(wanted)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=x",
        "limit=-1",
        "limit=" + "9" * 5000,
        "limit=٣",
        "after=x",
        "after=2026~x",
        "state=x",
        "project=x",
    ],
)
def test_a_query_that_makes_no_sense_is_refused_with_a_sentence(query: str) -> None:
    answer = client_for(make_user("ana")).get(f"/api/jobs/?{query}")
    if query == "limit=" + "9" * 5000:
        assert answer.status_code == 200
        return
    assert answer.status_code == 400
    assert answer.json()["fix"]


def test_the_log_is_read_on_from_a_number() -> None:
    ana = make_user("ana")
    job = run_now(queued(make_project(ana), ana))
    client = client_for(ana)
    whole = client.get(f"/api/jobs/{job.pk}/events?after=0").json()["results"]
    rest = client.get(f"/api/jobs/{job.pk}/events?after={whole[1]['seq']}").json()["results"]
    assert rest == whole[2:]
    first = client.get(f"/api/jobs/{job.pk}/events?limit=2").json()
    assert first["results"] == whole[:2]
    assert client.get(first["next"]).json()["results"] == whole[2:4]
    assert client.get(f"/api/jobs/{job.pk}/events?after=x").status_code == 400


def test_labelers_cancel_their_own_jobs_managers_all_and_twice_is_once() -> None:
    ana, ben, eve, mia = (make_user(name) for name in ("ana", "ben", "eve", "mia"))
    project = make_project(ana, labeler=ben, viewer=eve, manager=mia)
    own, others = queued(project, ben), queued(project, ana)

    def cancel(user: User, job: Job) -> int:
        return client_for(user).post(f"/api/jobs/{job.pk}/cancel").status_code

    assert cancel(eve, own) == 403
    assert cancel(ben, others) == 403
    assert cancel(ben, own) == 200
    assert cancel(ben, own) == 200
    assert cancel(mia, others) == 200
    assert set(Job.objects.values_list("state", flat=True)) == {"cancelled"}


def test_a_job_of_no_project_is_the_administrators() -> None:
    job = queued(None)
    assert client_for(make_user("ana")).get(f"/api/jobs/{job.pk}/").status_code == 404
    root = make_user("root", is_superuser=True, is_staff=True)
    assert client_for(root).get(f"/api/jobs/{job.pk}/").status_code == 200


def test_a_token_needs_the_scope_run_to_cancel_and_its_project_to_look() -> None:
    ana = make_user("ana")
    project = make_project(ana)
    job = queued(project, ana)

    def call(method: str, path: str, token: str) -> int:
        return Client().generic(method, path, HTTP_AUTHORIZATION=f"Bearer {token}").status_code

    reader, runner = make_token(ana, ["read"]), make_token(ana, ["run"])
    elsewhere = make_token(ana, project=make_project(ana))
    assert call("GET", f"/api/jobs/{job.pk}/", reader) == 200
    assert call("POST", f"/api/jobs/{job.pk}/cancel", reader) == 403
    assert call("GET", f"/api/jobs/{job.pk}/", elsewhere) == 404
    assert call("GET", f"/api/jobs/{job.pk}/", runner) == 403
    assert call("POST", f"/api/jobs/{job.pk}/cancel", runner) == 200


@pytest.mark.parametrize("path", ["/jobs/", "/jobs/{job}/", "/projects/{project}/", "/profile/", "/api/docs/"])
def test_pages_answer_members_and_send_strangers_to_the_sign_in(path: str) -> None:
    ana = make_user("ana")
    project = make_project(ana)
    url = path.format(job=queued(project, ana).pk, project=project.pk)
    assert client_for(ana).get(url).status_code == 200
    assert client_for(None).get(url).status_code == (200 if path == "/api/docs/" else 302)
    if "{" in path:
        assert client_for(make_user("eve")).get(url).status_code == 404
