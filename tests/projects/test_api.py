"""Projects, members, tokens and the own account over the API."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from tests.factories import client_for, make_project, make_token, make_user
from webapp.errors import Denied, NotFound
from webapp.projects.access import hold_role
from webapp.projects.models import ApiToken, AuditEntry, Member, Project, Role, User
from webapp.projects.services import remove_member

pytestmark = pytest.mark.django_db

JSON = "application/json"


def code_of(response: object) -> tuple[int, str]:
    return response.status_code, response.json()["code"]  # type: ignore[attr-defined]


def member_of(project: Project, name: str) -> Member:
    return Member.objects.get(project=project, user__username=name)


def test_who_creates_a_project_owns_it_and_the_act_is_in_the_audit() -> None:
    client = client_for(make_user("ana"))
    answer = client.post("/api/projects/", {"name": "Banepa"}, content_type=JSON)
    assert answer.status_code == 201
    assert (answer.json()["name"], answer.json()["role"], answer.json()["members"]) == ("Banepa", "owner", 1)
    listed = client.get("/api/projects/").json()["results"]
    assert [row["name"] for row in listed] == ["Banepa"]
    audit = client.get(f"/api/projects/{answer.json()['id']}/audit/").json()["results"]
    assert [(row["actor"], row["action"]) for row in audit] == [("ana", "project.create")]


def test_the_list_holds_only_own_projects_with_the_own_role() -> None:
    ana, ben = make_user("ana"), make_user("ben")
    shared, _ = make_project(ana, viewer=ben), make_project(ana)
    listed = client_for(ben).get("/api/projects/").json()["results"]
    assert [(row["id"], row["role"], row["members"]) for row in listed] == [(str(shared.pk), "viewer", 2)]


def test_unknown_fields_are_refused_so_that_nothing_is_assigned_by_accident() -> None:
    ana = make_user("ana")
    client, project = client_for(ana), make_project(ana)
    for field in ("id", "owner", "created_at", "is_staff"):
        answer = client.patch(f"/api/projects/{project.pk}/", {"name": "x", field: "1"}, content_type=JSON)
        assert code_of(answer) == (400, "unknown_field")
    assert code_of(client.patch("/api/me/", {"is_superuser": True}, content_type=JSON)) == (400, "unknown_field")


@pytest.mark.parametrize("body", ["", "[]", '"x"', "{", '{"name": ""}', '{"name": null}', '{"name": {"a": 1}}'])
def test_a_body_that_is_no_project_is_refused(body: str) -> None:
    answer = client_for(make_user("ana")).post("/api/projects/", body, content_type=JSON)
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert not Project.objects.exists()


def test_a_manager_adds_members_up_to_the_own_role() -> None:
    ana, ben = make_user("ana"), make_user("ben")
    make_user("eve")
    project = make_project(ana, manager=ben)
    client, url = client_for(ben), f"/api/projects/{project.pk}/members/"
    assert client.post(url, {"username": "eve", "role": "manager"}, content_type=JSON).status_code == 201
    assert code_of(client.post(url, {"username": "eve", "role": "viewer"}, content_type=JSON)) == (
        409,
        "already_member",
    )
    make_user("kim")
    assert code_of(client.post(url, {"username": "kim", "role": "owner"}, content_type=JSON)) == (403, "denied")
    assert code_of(client.post(url, {"username": "nobody", "role": "viewer"}, content_type=JSON)) == (
        400,
        "unknown_user",
    )
    assert code_of(client.post(url, {"username": "kim", "role": "king"}, content_type=JSON)) == (400, "invalid")
    names = [row["user"]["username"] for row in client.get(url).json()["results"]]
    assert names == ["ana", "ben", "eve"]


def test_a_manager_cannot_touch_an_owner_nor_rise() -> None:
    ana, ben = make_user("ana"), make_user("ben")
    project = make_project(ana, manager=ben)
    client = client_for(ben)
    owner = f"/api/projects/{project.pk}/members/{member_of(project, 'ana').pk}/"
    own = f"/api/projects/{project.pk}/members/{member_of(project, 'ben').pk}/"
    assert code_of(client.patch(owner, {"role": "viewer"}, content_type=JSON)) == (403, "denied")
    assert code_of(client.delete(owner)) == (403, "denied")
    assert code_of(client.patch(own, {"role": "owner"}, content_type=JSON)) == (403, "denied")
    assert member_of(project, "ana").role == Role.OWNER
    assert member_of(project, "ben").role == Role.MANAGER


def test_the_last_owner_can_neither_leave_nor_step_down() -> None:
    ana, ben = make_user("ana"), make_user("ben")
    project = make_project(ana)
    Member.objects.create(project=project, user=ben, role=Role.OWNER)
    url = f"/api/projects/{project.pk}/members/{member_of(project, 'ana').pk}/"
    other = f"/api/projects/{project.pk}/members/{member_of(project, 'ben').pk}/"
    client = client_for(ana)
    assert client.patch(other, {"role": "viewer"}, content_type=JSON).status_code == 200
    assert code_of(client.patch(url, {"role": "manager"}, content_type=JSON)) == (409, "last_owner")
    assert code_of(client.delete(url)) == (409, "last_owner")
    assert client.patch(other, {"role": "owner"}, content_type=JSON).status_code == 200
    assert client.delete(url).status_code == 204
    assert client.get(f"/api/projects/{project.pk}/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_the_same_moment_leave_one_behind() -> None:
    ana, ben = make_user("ana"), make_user("ben")
    for _ in range(5):
        project = make_project(ana)
        Member.objects.create(project=project, user=ben, role=Role.OWNER)
        calls = [
            (client_for(user), f"/api/projects/{project.pk}/members/{member_of(project, user.username).pk}/")
            for user in (ana, ben)
        ]

        def leave(call: tuple[Client, str]) -> int:
            try:
                return call[0].delete(call[1]).status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(leave, calls)) == [204, 409]
        assert Member.objects.filter(project=project, role=Role.OWNER).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_removal_comes_before_the_edits_that_begin_after_it() -> None:
    """Who edits by two connections without a pause would otherwise never be removed."""
    ana, ben = make_user("ana"), make_user("ben")
    project = make_project(ana, labeler=ben)

    def remove() -> None:
        try:
            remove_member(member=member_of(project, "ben"), user=ana, own_role=Role.OWNER)
        finally:
            connection.close()

    def edit() -> None:
        try:
            with transaction.atomic():
                hold_role(ben, project, Role.LABELER)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            hold_role(ben, project, Role.LABELER)
            removal = pool.submit(remove)
            wait_for_locks(1)
            late = pool.submit(edit)
            wait_for_locks(2)
        removal.result(timeout=10)
        with pytest.raises(NotFound):
            late.result(timeout=10)


def wait_for_locks(count: int) -> None:
    """Return when so many locks are waited for."""
    deadline = time.monotonic() + 10
    while lock_waits() < count:
        assert time.monotonic() < deadline


@pytest.mark.django_db(transaction=True)
def test_a_removal_waits_for_an_edit_that_is_being_stored_and_is_seen_by_the_next() -> None:
    ana, ben = make_user("ana"), make_user("ben")
    project = make_project(ana, labeler=ben)
    order: list[str] = []

    def remove() -> None:
        try:
            remove_member(member=member_of(project, "ben"), user=ana, own_role=Role.OWNER)
            order.append("removed")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert hold_role(ben, project, Role.LABELER) == Role.LABELER
            removal = pool.submit(remove)
            # It has come as far as the row that is held, and no further.
            deadline = time.monotonic() + 10
            while not lock_waits():
                assert not removal.done()
                assert time.monotonic() < deadline
            order.append("stored")
        removal.result(timeout=10)
    assert order == ["stored", "removed"]
    with transaction.atomic(), pytest.raises(NotFound):
        hold_role(ben, project, Role.LABELER)
    with transaction.atomic(), pytest.raises(Denied, match="needs labeler"):
        hold_role(make_member(project, Role.VIEWER), project, Role.LABELER)


def lock_waits() -> int:
    """Return how many locks somebody waits for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        [count] = cursor.fetchone()
    return int(count)


def make_member(project: Project, role: Role) -> User:
    """Return a new member."""
    user = make_user("new")
    Member.objects.create(project=project, user=user, role=role)
    return user


def test_anybody_may_leave_and_nobody_below_manager_may_remove() -> None:
    ana, ben, eve = make_user("ana"), make_user("ben"), make_user("eve")
    project = make_project(ana, reviewer=ben, viewer=eve)
    url = f"/api/projects/{project.pk}/members/{member_of(project, 'eve').pk}/"
    assert code_of(client_for(ben).delete(url)) == (403, "denied")
    assert client_for(eve).delete(url).status_code == 204


def test_a_member_of_another_project_is_not_found_under_this_one() -> None:
    ana = make_user("ana")
    mine, other = make_project(ana), make_project(make_user("ben"))
    url = f"/api/projects/{mine.pk}/members/{member_of(other, 'ben').pk}/"
    assert code_of(client_for(ana).patch(url, {"role": "viewer"}, content_type=JSON)) == (404, "not_found")


def test_the_audit_can_be_neither_changed_nor_deleted() -> None:
    client_for(make_user("ana")).post("/api/projects/", {"name": "x"}, content_type=JSON)
    for act in (lambda: AuditEntry.objects.update(action="y"), lambda: AuditEntry.objects.all().delete()):
        with pytest.raises(DatabaseError, match="only ever inserted"), transaction.atomic():
            act()


def test_a_token_is_shown_once_and_stored_as_a_hash() -> None:
    ana = make_user("ana")
    client = client_for(ana)
    made = client.post("/api/tokens/", {"name": "script", "scopes": ["read", "run"]}, content_type=JSON).json()
    assert made["token"].startswith("qdt_")
    row = ApiToken.objects.get()
    assert made["token"] not in (row.digest, row.hint)
    listed = client.get("/api/tokens/").json()["results"]
    assert listed[0]["hint"] == made["token"][:8]
    assert "token" not in listed[0]
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {made['token']}"}
    assert Client().get("/api/me/", **bearer).json()["username"] == "ana"
    assert client.delete(f"/api/tokens/{made['id']}/").status_code == 204
    assert code_of(Client().get("/api/me/", **bearer)) == (401, "unauthenticated")


@pytest.mark.parametrize(
    "body", [{"scopes": []}, {"scopes": ["all"]}, {"scopes": ["read"], "expires_at": "2001-01-01T00:00:00Z"}]
)
def test_a_token_without_scope_or_with_a_past_expiry_is_refused(body: dict[str, object]) -> None:
    answer = client_for(make_user("ana")).post("/api/tokens/", {"name": "x", **body}, content_type=JSON)
    assert answer.status_code == 400


def test_a_token_makes_no_tokens_and_changes_no_password() -> None:
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {make_token(make_user('ana'))}"}
    client = Client()
    body = {"name": "more", "scopes": ["manage"]}
    assert code_of(client.post("/api/tokens/", body, content_type=JSON, **bearer)) == (403, "denied")
    passwords = {"old": "a", "new": "b"}
    assert code_of(client.post("/api/me/password/", passwords, content_type=JSON, **bearer)) == (403, "denied")
    assert code_of(client.patch("/api/me/", {"email": "a@b.np"}, content_type=JSON, **bearer)) == (403, "denied")


def test_somebody_elses_token_is_not_found() -> None:
    make_token(make_user("ben"))
    url = f"/api/tokens/{ApiToken.objects.get().pk}/"
    assert code_of(client_for(make_user("ana")).delete(url)) == (404, "not_found")
    assert ApiToken.objects.get().revoked_at is None


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one() -> None:
    ana = make_user("ana", password="correct horse battery")
    here, there = client_for(ana), client_for(ana)
    url = "/api/me/password/"
    wrong = {"old": "wrong", "new": "staple staple staple"}
    assert code_of(here.post(url, wrong, content_type=JSON)) == (400, "wrong_password")
    weak = {"old": "correct horse battery", "new": "password"}
    assert code_of(here.post(url, weak, content_type=JSON)) == (400, "weak_password")
    right = {"old": "correct horse battery", "new": "staple staple staple"}
    assert here.post(url, right, content_type=JSON).status_code == 204
    assert here.get("/api/me/").status_code == 200
    assert there.get("/api/me/").status_code == 401
