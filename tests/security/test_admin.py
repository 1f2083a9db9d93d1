"""Django's admin: who reaches what in it."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import CompositePrimaryKey
from django.test import Client
from django.urls import get_resolver, reverse

from tests.factories import client_for, make_token, make_user
from tests.security.world import make_world
from webapp.jobs.models import Job
from webapp.projects.models import ApiToken, AuditEntry, Member, Project, User

pytestmark = pytest.mark.django_db

OURS = ("projects", "jobs", "imagery", "features", "maps", "labeling", "training", "inference", "photos")


@pytest.fixture(autouse=True)
def _registered() -> None:
    """The models come into the admin with the URL map, which the first request loads."""
    assert get_resolver().url_patterns


@pytest.fixture
def root() -> Client:
    return client_for(make_user("root", is_staff=True, is_superuser=True))


@pytest.fixture
def staff() -> Client:
    """A member of staff with every permission there is, but no superuser."""
    user = make_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    return client_for(user)


def url(model: type, view: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)  # type: ignore[attr-defined]


def test_every_model_of_ours_is_in_the_admin_by_itself_or_within_another() -> None:
    models = [model for label in OURS for model in apps.get_app_config(label).get_models()]
    inlines = {inline.model for page in admin.site._registry.values() for inline in page.inlines}
    shown = inlines | set(admin.site._registry)
    # Tables that are made of others have no row to look at by itself, and a key of several columns.
    derived = {model for model in models if isinstance(model._meta.pk, CompositePrimaryKey)}
    assert {model.__name__ for model in derived} == {"Cell", "TileChange"}
    # What is hidden from people who work on it is hidden from administrators among them, too.
    sealed = {"SealedEdit", "Answer"}
    missing = [model.__name__ for model in models if model not in shown | derived]
    assert set(missing) == sealed


def test_every_list_and_form_opens(root: Client) -> None:
    world = make_world()
    for model in admin.site._registry:
        assert root.get(url(model, "changelist")).status_code == 200, model
        assert root.get(url(model, "changelist") + "?q=x").status_code == 200, model
        row = model._default_manager.first()
        if row is not None:
            assert root.get(url(model, "change", row.pk)).status_code == 200, model
    assert world.project.pk


def test_staff_cannot_rise_by_users_groups_members_or_tokens(staff: Client, root: Client) -> None:
    world = make_world()

    for model in (User, Group, Member, Project, ApiToken):
        assert staff.get(url(model, "changelist")).status_code == 403
        if model is not ApiToken:
            assert staff.get(url(model, "add")).status_code == 403
    own = User.objects.get(username="staff")
    answer = staff.post(url(User, "change", own.pk), {"username": "staff", "is_superuser": "on", "is_staff": "on"})
    assert answer.status_code == 403
    own.refresh_from_db()
    assert not own.is_superuser
    assert root.get(url(User, "change", world.people["owner"].pk)).status_code == 200


def test_history_cannot_be_changed_by_anybody(root: Client) -> None:
    make_world()
    job = Job.objects.get(kind="ingest")
    root.post("/api/projects/", {"name": "x"}, content_type="application/json")
    entry = AuditEntry.objects.get(action="project.create")
    for row in (job, job.events.first(), entry):
        assert root.post(url(type(row), "change", row.pk), {"text": "y"}).status_code == 403
        assert root.post(url(type(row), "delete", row.pk), {"post": "yes"}).status_code == 403
        assert root.get(url(type(row), "add")).status_code == 403


def test_secrets_are_not_shown(root: Client) -> None:
    world = make_world()
    make_token(world.people["owner"])
    token = ApiToken.objects.exclude(digest="x").get()
    page = root.get(url(ApiToken, "change", token.pk)).content.decode()
    assert token.digest not in page
    job = Job.objects.get(kind="ingest")
    Job.objects.filter(pk=job.pk).update(token="11111111-2222-3333-4444-555555555555")
    assert "11111111-2222" not in root.get(url(Job, "change", job.pk)).content.decode()


def test_tokens_are_revoked_and_jobs_cancelled_by_action(root: Client, staff: Client) -> None:
    world = make_world()
    token, job = ApiToken.objects.get(), Job.objects.get(kind="ingest")
    root.post(url(ApiToken, "changelist"), {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.revoked_at is not None
    staff.post(url(Job, "changelist"), {"action": "cancel", "_selected_action": [job.pk]})
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert world.people


def test_people_who_are_no_staff_are_kept_out() -> None:
    assert client_for(make_user("ana")).get("/admin/projects/user/", follow=True).status_code == 403
    assert Client().get("/admin/projects/user/", follow=True).redirect_chain[-1][0].startswith("/login/")
