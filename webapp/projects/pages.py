"""Pages of projects, the own profile, the sign-in, and the API's documentation."""

from typing import Any
from uuid import UUID

from django.contrib.auth.views import LoginView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from webapp.api import headers_of
from webapp.projects import access, selectors
from webapp.projects.api import get_project
from webapp.projects.docs import endpoints
from webapp.projects.forms import SignInForm
from webapp.projects.models import Role, User
from webapp.projects.serializers import ROLE_NAMES
from webapp.projects.services import SCOPES


class SignIn(LoginView):
    """The sign-in page; past the limits it answers 429 and says how long to wait."""

    template_name = "login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show what was wrong."""
        response = super().form_invalid(form)
        if form.too_many is not None:
            response.status_code = 429
            for name, value in headers_of(form.too_many).items():
                response[name] = value
        return response


def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """Send the administration's sign-in to ours, which is limited; signed-in people who are no staff go no further."""
    target = request.GET.get("next", "/admin/")
    if request.user.is_authenticated:
        if not request.user.is_staff:
            raise PermissionDenied
        return redirect("admin:index")
    return redirect_to_login(target)


def project(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a project's members and settings."""
    found = get_project(pk)
    role = access.authorise(request, found)
    grantable = [name for name, value in zip(ROLE_NAMES, Role, strict=True) if value <= role]
    config = {
        "project": selectors.project_json(found, role=role),
        "manages": role >= Role.MANAGER,
        "me": request.user.pk,
        "roles": ROLE_NAMES,
        "grantable": grantable if role >= Role.MANAGER else [],
    }
    breadcrumb = [("Content", "/"), (found.name, None)]
    return render(request, "projects/project.html", {"config": config, "breadcrumb": breadcrumb, "project": found})


def profile(request: HttpRequest) -> HttpResponse:
    """Show the own account, its password form and its API tokens."""
    user = request.user
    assert isinstance(user, User)
    projects = [
        {"id": str(pk), "name": name} for pk, name in access.visible_projects(request).values_list("pk", "name")
    ]
    config = {"me": selectors.me_json(user), "scopes": SCOPES, "projects": projects}
    return render(request, "projects/profile.html", {"config": config, "breadcrumb": [("Profile", None)]})


def api_docs(request: HttpRequest) -> HttpResponse:
    """Show what the API takes and who may call it."""
    return render(
        request, "projects/docs.html", {"groups": endpoints(), "breadcrumb": [("API", None)], "scopes": SCOPES}
    )
