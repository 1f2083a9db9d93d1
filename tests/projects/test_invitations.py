"""Invitations by link: who makes them, whom they let in, and how they end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.factories import client_for, make_project, make_user
from webapp.projects import throttle
from webapp.projects.models import AuditEntry, Invitation, Member, Project, Role, User

pytestmark = pytest.mark.django_db

GOOD = {"username": "newcomer", "password1": "staple battery horse", "password2": "staple battery horse"}


@pytest.fixture
def project() -> Project:
    return make_project(make_user("ana"), manager=make_user("mia"), labeler=make_user("ben"))


def invite(project: Project, who: str = "ana", **body: Any) -> Any:
    url = f"/api/projects/{project.pk}/invitations/"
    return client_for(make_user(who)).post(url, {"role": "reviewer", **body}, content_type="application/json")


def link_of(project: Project, **body: Any) -> str:
    answer = invite(project, **body)
    assert answer.status_code == 201, answer.content
    link: str = answer.json()["link"]
    return link.removeprefix("http://testserver")


def role_of(project: Project, name: str) -> int | None:
    return Member.objects.filter(project=project, user__username=name).values_list("role", flat=True).first()


def test_a_link_is_shown_once_and_stored_hashed(project: Project) -> None:
    made = invite(project).json()
    raw = made["link"].split("/")[-2]
    row = Invitation.objects.get()
    assert raw not in {str(value) for value in Invitation.objects.values_list()[0]}
    assert row.expires_at - timezone.now() > timedelta(days=6, hours=23)
    listed = client_for(make_user("mia")).get(f"/api/projects/{project.pk}/invitations/").json()["results"]
    assert [(item["role"], item["uses"], item["max_uses"]) for item in listed] == [("reviewer", 0, 1)]
    assert "link" not in listed[0]


def test_who_is_signed_in_joins_and_the_audit_says_so(project: Project) -> None:
    link, eve = link_of(project), client_for(make_user("eve"))
    page = eve.get(link)
    assert b"Join as eve" in page.content
    assert page["Cache-Control"].startswith("max-age=0")
    assert eve.post(link)["Location"] == f"/projects/{project.pk}/"
    assert role_of(project, "eve") == Role.REVIEWER
    entry = AuditEntry.objects.get(action="invitation.accept")
    assert (entry.actor, entry.project, entry.details) == (make_user("eve"), project, {"by": "ana"})


def test_a_stranger_makes_an_account_and_is_in(project: Project) -> None:
    link, client = link_of(project), Client()
    page = client.get(link)
    assert f"/login/?next={link}".encode() in page.content
    assert client.post(link, GOOD)["Location"] == f"/projects/{project.pk}/"
    assert client.get(f"/projects/{project.pk}/").status_code == 200
    assert role_of(project, "newcomer") == Role.REVIEWER
    made = User.objects.get(username="newcomer")
    assert (made.is_staff, made.is_superuser, made.check_password(GOOD["password1"])) == (False, False, True)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"password1": "short", "password2": "short"}, "at least 10 characters"),
        ({"password1": "1234567890", "password2": "1234567890"}, "too common"),
        ({"password2": "something else"}, "didn’t match"),
        ({"username": "BEN"}, "already exists"),
        ({"username": "a b"}, "valid username"),
        ({"password1": "x" * 2000, "password2": "x" * 2000}, "at most 1024"),
    ],
)
def test_an_account_that_cannot_be_made_leaves_nothing(project: Project, wrong: dict[str, str], text: str) -> None:
    page = Client().post(link_of(project), {**GOOD, **wrong})
    assert text in page.content.decode().replace("&#x27;", "’")
    assert User.objects.count() == 3
    assert Invitation.objects.get().uses == 0


def test_without_sign_up_a_stranger_can_only_sign_in(project: Project, settings: Settings) -> None:
    settings.INVITED_SIGN_UP = False
    link = link_of(project)
    assert b"Make an account" not in Client().get(link).content
    assert Client().post(link, GOOD).status_code == 302
    assert not User.objects.filter(username="newcomer").exists()


def _revoke(project: Project) -> None:
    pk = Invitation.objects.get().pk
    answer = client_for(make_user("mia")).delete(f"/api/projects/{project.pk}/invitations/{pk}/")
    assert answer.status_code == 204


def _expire(project: Project) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def _use(project: Project) -> None:
    Invitation.objects.update(uses=1)


def _demote(project: Project) -> None:
    Member.objects.filter(project=project, user__username="ana").update(role=Role.LABELER)


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (_revoke, "was revoked"),
        (_expire, "expired on"),
        (_use, "was used already"),
        (_demote, "may no longer invite"),
    ],
)
def test_a_closed_link_says_why_in_one_sentence(
    project: Project, end: Callable[[Project], None], sentence: str
) -> None:
    link = link_of(project)
    end(project)
    for client in (Client(), client_for(make_user("eve"))):
        for answer in (client.get(link), client.post(link, GOOD)):
            assert answer.status_code == 409
            assert sentence in answer.content.decode()
    assert role_of(project, "eve") is None
    assert not User.objects.filter(username="newcomer").exists()


def test_a_member_who_follows_a_link_keeps_role_and_link(project: Project) -> None:
    link, ben = link_of(project), client_for(make_user("ben"))
    assert b"You are a member already, as labeler." in ben.get(link).content
    answer = ben.post(link)
    assert (answer.status_code, role_of(project, "ben"), Invitation.objects.get().uses) == (409, Role.LABELER, 0)


def test_a_link_for_many_lets_many_in_and_one_for_one_only_one(project: Project) -> None:
    many, one = link_of(project, max_uses=None), link_of(project)
    for name in ("eve", "fay"):
        assert client_for(make_user(name)).post(many).status_code == 302
    assert client_for(make_user("gil")).post(one).status_code == 302
    assert client_for(make_user("hal")).post(one).status_code == 409
    assert role_of(project, "hal") is None


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        ("ben", {}, 403),
        ("mia", {"role": "owner"}, 403),
        ("mia", {"role": "manager"}, 201),
        ("ana", {"days": 91}, 400),
        ("ana", {"days": 0}, 400),
        ("ana", {"max_uses": 0}, 400),
        ("ana", {"role": "emperor"}, 400),
    ],
)
def test_nobody_invites_above_themselves(project: Project, who: str, body: dict[str, Any], status: int) -> None:
    assert invite(project, who, **body).status_code == status


def test_links_of_who_leaves_or_sinks_are_revoked(project: Project) -> None:
    invite(project, "mia", role="manager")
    invite(project, "mia", role="viewer")
    mia = Member.objects.get(project=project, user__username="mia")
    url = f"/api/projects/{project.pk}/members/{mia.pk}/"
    client_for(make_user("ana")).patch(url, {"role": "reviewer"}, content_type="application/json")
    assert not Invitation.objects.filter(revoked_at=None).exists()


def test_guesses_are_counted(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "PER_ADDRESS", 2)
    statuses = [Client().get(f"/join/guess{number}/").status_code for number in range(3)]
    assert statuses == [404, 404, 429]
    assert Client().get(link_of(project)).status_code == 200
