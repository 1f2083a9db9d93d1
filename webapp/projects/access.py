"""The check of every route: may this caller do this to this project."""

from django.db.models import QuerySet
from django.http import HttpRequest

from webapp.errors import Denied, NotFound, Unauthenticated
from webapp.projects.models import Member, Project, Role, User
from webapp.projects.routes import Rule, rule_for


def role_in(user: object, project: Project) -> Role | None:
    """Return the user's role in the project; None for a stranger. A superuser is an owner everywhere."""
    if not isinstance(user, User) or not user.is_active:
        return None
    if user.is_superuser:
        return Role.OWNER
    found = Member.objects.filter(project=project, user=user).values_list("role", flat=True).first()
    return None if found is None else Role(found)


def rule_of(request: HttpRequest) -> Rule:
    """Return the declared rule of the request's route and method.

    Raises:
        Denied: the route is not in the table.
    """
    match = request.resolver_match
    rule = rule_for(match.view_name if match else "", request.method or "GET")
    if rule is None:
        raise Denied("This route is not open for that method.", fix="See /api/docs/ for what each route takes.")
    return rule


def authorise(request: HttpRequest, project: Project, *, shared: bool = False) -> Role:
    """Return the caller's role after checking it against the route's rule.

    Args:
        request: Django's request (REST framework's wraps one: pass either).
        project: the project of the object that the route names.
        shared: the object is shared by link, which opens `link` routes to anybody.

    Raises:
        Unauthenticated: nobody is signed in and the route needs it.
        NotFound: the caller is no member: the same answer as for an unknown id.
        Denied: the member's role, or the token, is too low.
    """
    inner: HttpRequest = getattr(request, "_request", request)
    rule = rule_of(inner)
    setattr(inner, "access_checked", True)
    user = request.user
    if rule.audience == "link" and shared:
        return role_in(user, project) or Role.VIEWER
    if not user.is_authenticated:
        raise Unauthenticated("You are not signed in.", fix="Sign in, or send a valid API token.")
    token = getattr(inner, "api_token", None)
    role = role_in(user, project)
    if role is None or (token is not None and token.project_id not in (None, project.pk)):
        raise NotFound()
    if role < rule.role:
        raise Denied(
            f"Your role here is {role.label}; this needs {rule.role.label}.",
            fix="Ask a manager of the project for a higher role.",
        )
    return role


def visible_projects(request: HttpRequest) -> QuerySet[Project]:
    """Return the projects that the caller may see, for list routes."""
    inner: HttpRequest = getattr(request, "_request", request)
    rule_of(inner)
    setattr(inner, "access_checked", True)
    user = request.user
    if not isinstance(user, User):
        return Project.objects.none()
    token = getattr(inner, "api_token", None)
    projects = Project.objects.all() if user.is_superuser else Project.objects.filter(members__user=user)
    return projects.filter(pk=token.project_id) if token is not None and token.project_id else projects
