"""The API of projects, members, tokens and the own account."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest
from django.urls import reverse
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import Denied, NotFound
from webapp.projects import access, invitations, selectors, services, throttle
from webapp.projects.forms import address_of
from webapp.projects.models import ApiToken, Invitation, Member, Project, Role, User
from webapp.projects.serializers import (
    InvitationBody,
    MeChange,
    MemberBody,
    PasswordBody,
    ProjectBody,
    ProjectChange,
    RoleBody,
    TokenBody,
    parse,
)


@api_view(["GET", "POST"])
def projects(request: Request) -> Response:
    """List the projects that you may see, or create one (you become its owner)."""
    user = _user(request)
    if request.method == "GET":
        return Response({"results": selectors.with_roles(access.visible_projects(request), user), "next": None})
    token = _token(request)
    if token is not None and token.project_id is not None:
        raise Denied("This token is for one project only.", fix="Use a token without a project, or sign in.")
    project = services.create_project(user=user, **parse(ProjectBody, request.data))
    return Response(selectors.project_json(project, role=Role.OWNER), status=201)


@api_view(["GET", "PATCH"])
@access.keeps_role
def project(request: Request, pk: UUID) -> Response:
    """Show a project, or change its name or description."""
    found = get_project(pk)
    role = access.authorise(request, found)
    if request.method == "PATCH":
        found = services.edit_project(project=found, user=_user(request), **parse(ProjectChange, request.data))
    return Response(selectors.project_json(found, role=role))


@api_view(["GET", "POST"])
def members(request: Request, pk: UUID) -> Response:
    """List the members, or add one by user name with a role up to your own."""
    found = get_project(pk)
    role = access.authorise(request, found)
    if request.method == "GET":
        rows = [selectors.member_json(member) for member in selectors.members(found)]
        return Response({"results": rows, "next": None})
    body = parse(MemberBody, request.data)
    member = services.add_member(
        project=found, username=body["username"], role=_role(body["role"]), user=_user(request), own_role=role
    )
    return Response(selectors.member_json(member), status=201)


@api_view(["PATCH", "DELETE"])
def member(request: Request, pk: UUID, member_pk: int) -> Response:
    """Change a member's role, or end a membership: anybody may leave, managers may remove others."""
    found = get_project(pk)
    role = access.authorise(request, found)
    row = Member.objects.select_related("user").filter(project=found, pk=member_pk).first()
    if row is None:
        raise NotFound("member")
    if request.method == "DELETE":
        services.remove_member(member=row, user=_user(request), own_role=role)
        return Response(status=204)
    body = parse(RoleBody, request.data)
    changed = services.change_role(member=row, role=_role(body["role"]), user=_user(request), own_role=role)
    return Response(selectors.member_json(changed))


@api_view(["GET", "POST"])
@access.keeps_role
def invitation_list(request: Request, pk: UUID) -> Response:
    """List the open invitations, or make a link: {role, days, max_uses}. The link is shown once."""
    found = get_project(pk)
    role = access.authorise(request, found)
    if request.method == "GET":
        rows = [selectors.invitation_json(row) for row in invitations.open_ones(found)]
        return Response({"results": rows, "next": None})
    body = parse(InvitationBody, request.data)
    wanted = _role(body["role"])
    services.check_grant(wanted, role)
    made, raw = invitations.invite(
        project=found, user=_user(request), role=wanted, days=body["days"], max_uses=body["max_uses"]
    )
    origin = settings.PUBLIC_URL.rstrip("/") or f"{request.scheme}://{request.get_host()}"
    return Response({**selectors.invitation_json(made), "link": f"{origin}{reverse('join', args=[raw])}"}, status=201)


@api_view(["DELETE"])
@access.keeps_role
def invitation(request: Request, pk: UUID, invitation_pk: UUID) -> Response:
    """Revoke an invitation: its link lets nobody in any more."""
    found = get_project(pk)
    access.authorise(request, found)
    row = Invitation.objects.filter(project=found, pk=invitation_pk).first()
    if row is None:
        raise NotFound("invitation")
    invitations.revoke(invitation=row, user=_user(request))
    return Response(status=204)


@api_view(["GET"])
def audit(request: Request, pk: UUID) -> Response:
    """List the newest acts of administration in a project."""
    found = get_project(pk)
    access.authorise(request, found)
    return Response({"results": selectors.audit(found), "next": None})


@api_view(["GET", "POST"])
def tokens(request: Request) -> Response:
    """List your API tokens, or make one. The token itself is in the answer to POST and never shown again."""
    user = _user(request)
    if request.method == "GET":
        return Response({"results": [selectors.token_json(row) for row in selectors.tokens(user)], "next": None})
    _needs_session(request)
    body = parse(TokenBody, request.data)
    limit_to = None
    if body["project"] is not None:
        limit_to = get_project(body["project"])
        if access.role_in(user, limit_to) is None:
            raise NotFound()
    token, raw = services.create_token(
        user=user, name=body["name"], scopes=body["scopes"], expires_at=body["expires_at"], project=limit_to
    )
    return Response({**selectors.token_json(token), "token": raw}, status=201)


@api_view(["DELETE"])
def token(request: Request, pk: UUID) -> Response:
    """Revoke one of your API tokens."""
    user = _user(request)
    _needs_session(request)
    found = ApiToken.objects.filter(pk=pk, user=user).first()
    if found is None:
        raise NotFound("token")
    services.revoke_token(token=found, user=user)
    return Response(status=204)


@api_view(["GET", "PATCH"])
def me(request: Request) -> Response:
    """Show your account, or change your name or e-mail address."""
    user = _user(request)
    if request.method == "PATCH":
        _needs_session(request)
        user = services.edit_account(user=user, **parse(MeChange, request.data))
    return Response(selectors.me_json(user))


@api_view(["POST"])
def password(request: Request) -> Response:
    """Change your password. Other sessions end; this one stays."""
    _needs_session(request)
    user, body = _user(request), parse(PasswordBody, request.data)
    address = address_of(request._request)
    throttle.count_attempt(account=user.username, address=address)
    services.change_password(user=user, old=body["old"], new=body["new"])
    throttle.forgive(account=user.username, address=address)
    update_session_auth_hash(request._request, user)
    return Response(status=204)


def get_project(pk: UUID) -> Project:
    """Return a project.

    Raises:
        NotFound: there is none.
    """
    found = Project.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


def _role(label: str) -> Role:
    return next(role for role in Role if role.label == label)


def _user(request: Request) -> User:
    user: User = request.user  # type: ignore[assignment]  # every route here is for people who are signed in
    return user


def _token(request: Request) -> ApiToken | None:
    inner: HttpRequest = request._request
    return getattr(inner, "api_token", None)


def _needs_session(request: Request) -> None:
    """Refuse API tokens: one that leaked must not be able to make others or take the account over."""
    if _token(request) is not None:
        raise Denied("An API token may not do this.", fix="Sign in with your password.")
