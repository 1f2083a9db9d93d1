"""The check of every route: may this caller do this to this project."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.request import Request

from webapp.errors import Denied, NotFound, Unauthenticated, WrongMethod
from webapp.projects.models import ApiToken, Member, Project, Role, User
from webapp.projects.routes import Rule, methods_of, rule_for

P = ParamSpec("P")
R = TypeVar("R")

# Whoever writes waits so long for what others are storing, and tries again; so nobody's removal waits much longer.
HOLD_WAIT_MS = 5_000

# Of a list of users and projects, by their place in it.
_STANDINGS = """SELECT g.n, u.is_superuser, m.role
    FROM unnest(%(users)s::bigint[], %(projects)s::uuid[], %(sessions)s::text[], %(passwords)s::text[],
        %(tokens)s::uuid[]) WITH ORDINALITY AS g (id, project, session, password, token, n)
    JOIN projects_user u ON u.id = g.id AND u.id = ANY(%(users)s::bigint[]) AND u.is_active
    LEFT JOIN projects_member m ON m.user_id = u.id AND m.project_id = g.project
    WHERE (g.session IS NULL OR u.password = g.password AND EXISTS (
            SELECT FROM django_session s WHERE s.session_key = g.session AND s.expire_date > now()))
        AND (g.token IS NULL OR EXISTS (SELECT FROM projects_apitoken t WHERE t.id = g.token
            AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())))"""

# The same of one member, whose row is kept as it is until the transaction ends. Not FOR SHARE: sharers do not queue, so
# that who removes somebody who edits by two connections would wait for ever. What the transaction waits for from here
# on, this row among it, it waits for only so long: a large import holds its layer for as long as it takes to store it.
_HELD = f"""WITH held AS (SELECT * FROM projects_member WHERE user_id = (%(users)s::bigint[])[1]
        AND project_id = (%(projects)s::uuid[])[1]
        AND set_config('lock_timeout', %(wait_ms)s, true) <> '' FOR NO KEY UPDATE)
    {_STANDINGS.replace("projects_member m", "held m")}"""


def signed_in(user: object) -> bool:
    """Return True while the user's account is active and the session or token behind a socket still counts."""
    if not isinstance(user, User):
        return False
    return _standings([(user, None)]) != [None]


def caller(request: HttpRequest) -> User:
    """Return who calls, on a route whose rule lets nobody in who is not signed in."""
    assert isinstance(request.user, User)
    return request.user


def role_in(user: object, project: Project) -> Role | None:
    """Return the user's role in the project as it is now; None for a stranger. A superuser is an owner everywhere.

    Safe to call again and again on a long connection: membership, and whether the account is active, are read
    each time. A user of a socket (see `webapp.projects.sockets`) has no more than the session or token behind it:
    `user.session_key` must still be signed in, `user.api_token` sets the limit.
    """
    return roles_of([(user, project)])[0] if isinstance(user, User) else None


def hold_role(user: User, project: Project, least: Role) -> Role:
    """Return the user's role, as `role_in`, and keep it until the transaction ends: who removes the member waits.

    So whatever is stored in the transaction was stored before the removal, and nothing after it was acknowledged.
    From here on the transaction waits no longer than `HOLD_WAIT_MS` for a lock: see `webapp.locks`.

    Raises:
        NotFound: the user is no member.
        Denied: the role is lower than `least`.
    """
    [role] = _roles([(user, project)], _HELD)
    if role is None:
        raise NotFound()
    if role < least:
        raise Denied(f"Your role here is {role.label}; this needs {least.label}.", fix="Ask a manager of the project.")
    return role


def require_role(user: User | None, project: Project, least: Role) -> None:
    """Return while somebody may still do what a job that they started is about to store.

    Raises:
        Denied: the account or the membership has ended, or the role was lowered.
    """
    role = role_in(user, project)
    if role is None or role < least:
        raise Denied("Whoever asked for this may not do it any more.", fix="Ask a member who may.", code="role_ended")


def roles_of(asked: Sequence[tuple[User, Project]]) -> list[Role | None]:
    """Return the role of each user in the project beside it, as `role_in`, read at once."""
    return _roles(asked, _STANDINGS)


def _roles(asked: Sequence[tuple[User, Project]], sql: str) -> list[Role | None]:
    # A corner has no members: what counts is what its person may do in the project around it.
    around = [(user, project.corner_of or project) for user, project in asked]
    rows = _standings([(user, project.pk) for user, project in around], sql)
    roles = [None if row is None else _role(*pair, *row) for pair, row in zip(around, rows, strict=True)]
    return [
        role if project.corner_of_id is None else _role_in_corner(user, project, role)
        for (user, project), role in zip(asked, roles, strict=True)
    ]


def _role(user: User, project: Project, is_superuser: bool, found: int | None) -> Role | None:
    role = Role.OWNER if is_superuser else (None if found is None else Role(found))
    return role if role is None else _within_token(user, project, role)


def _role_in_corner(user: User, corner: Project, outside: Role | None) -> Role | None:
    """Return labeler for the corner's person while that one may label in the project, None for all others."""
    if outside is None or outside < Role.LABELER or corner.only_for_id != user.pk:
        return None
    return Role.LABELER


def _standings(
    asked: Sequence[tuple[User, UUID | None]], sql: str = _STANDINGS
) -> list[tuple[bool, int | None] | None]:
    """Return (superuser, role in the project of that id) of each account that counts now; None for one that does not.

    That is one that is active and, where it came by a socket, has not signed out, changed the password, or lost its
    token since. One statement in SQL of our own: it runs with every edit, and the ORM takes eight times as long.
    """
    users = [user for user, _ in asked]
    tokens: list[ApiToken | None] = [getattr(user, "api_token", None) for user in users]
    values: dict[str, Any] = {
        "users": [user.pk for user in users],
        "projects": [None if project is None else str(project) for _, project in asked],
        "sessions": [getattr(user, "session_key", None) for user in users],
        "passwords": [user.password for user in users],
        "tokens": [None if token is None else str(token.pk) for token in tokens],
        "wait_ms": str(HOLD_WAIT_MS),
    }
    found: list[tuple[bool, int | None] | None] = [None] * len(users)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        for number, is_superuser, role in cursor.fetchall():
            found[number - 1] = (is_superuser, role)
    return found


def _within_token(user: User, project: Project, role: Role) -> Role | None:
    """Return the role as far as a socket's token reaches: none in other projects, no edits without the scope."""
    token: ApiToken | None = getattr(user, "api_token", None)
    if token is None:
        return role
    if token.project_id not in (None, project.pk) or "read" not in token.scopes:
        return None
    return role if "edit" in token.scopes else Role.VIEWER


def keeps_role(view: Callable[Concatenate[Request, P], R]) -> Callable[Concatenate[Request, P], R]:
    """Return an API view whose writes are one transaction, in which `authorise` holds the caller's role (`hold_role`).

    So nobody writes who was removed or lowered while the request was under way, and whoever removes them waits for
    what is being stored. Views that take long bodies, or write in several transactions, call `hold_role` in each.
    """

    @wraps(view)
    def run(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> R:
        inner = request._request
        if inner.method in ("GET", "HEAD", "OPTIONS"):
            return view(request, *args, **kwargs)
        _ = inner.body  # read before: somebody whose body comes slowly holds nothing
        setattr(inner, "keeps_role", True)
        with transaction.atomic():
            return view(request, *args, **kwargs)

    setattr(run, "keeps_role", True)
    return run


def rule_of(request: HttpRequest) -> Rule:
    """Return the declared rule of the request's route and method.

    Raises:
        WrongMethod: the route takes other methods.
        Denied: the route is not in the table.
    """
    match = request.resolver_match
    name, method = match.view_name if match else "", request.method or "GET"
    rule = rule_for(name, method)
    if rule is None:
        if methods_of(name):
            raise WrongMethod(method, methods_of(name))
        raise Denied("This route is not open for that method.", fix="See /api/docs/ for what each route takes.")
    return rule


def authorise(request: HttpRequest, project: Project, *, shared: bool = False) -> Role:
    """Return the caller's role after checking it against the route's rule; it stays as it is under `keeps_role`.

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
    [role] = _roles([(caller(inner), project)], _HELD if getattr(inner, "keeps_role", False) else _STANDINGS)
    if role is None or (token is not None and token.project_id not in (None, project.pk)):
        raise NotFound()
    if role < rule.role:
        raise Denied(
            f"Your role here is {role.label}; this needs {rule.role.label}.",
            fix="Ask a manager of the project for a higher role.",
        )
    return role


def project_for(request: HttpRequest, raw: object) -> Project:
    """Return the project that a body or a query names, after `authorise`.

    Args:
        request: as for `authorise`.
        raw: the project's id as it came.

    Raises:
        NotFound: it is no id, there is no such project, or the caller is no member.
        Unauthenticated, Denied: see `authorise`.
    """
    try:
        found = Project.objects.filter(pk=UUID(str(raw))).first()
    except ValueError as error:
        raise NotFound("project") from error
    if found is None:
        raise NotFound("project")
    authorise(request, found)
    return found


def author_or_manager(request: HttpRequest, role: Role, author_id: int | None) -> bool:
    """Return True for managers, and for labelers who made the object themselves."""
    return role >= Role.MANAGER or (role >= Role.LABELER and author_id == request.user.pk)


def require_author_or_manager(request: HttpRequest, role: Role, author_id: int | None, what: str) -> None:
    """Check the caller of an act that only who made an object, or a manager, may do; after `authorise`.

    Raises:
        Denied: the caller is neither.
    """
    if not author_or_manager(request, role, author_id):
        raise Denied(f"This {what} is somebody else's.", fix="Ask them, or a manager of the project.")


def authorise_site(request: HttpRequest) -> None:
    """Check the caller of an object that belongs to no project: administrators only.

    Raises:
        NotFound: the caller is no administrator, or came with a token for one project.
    """
    inner: HttpRequest = getattr(request, "_request", request)
    rule_of(inner)
    setattr(inner, "access_checked", True)
    token = getattr(inner, "api_token", None)
    if not getattr(request.user, "is_superuser", False) or (token is not None and token.project_id is not None):
        raise NotFound()


def visible_projects(request: HttpRequest) -> QuerySet[Project]:
    """Return the projects that the caller may see, for list routes."""
    inner: HttpRequest = getattr(request, "_request", request)
    rule_of(inner)
    setattr(inner, "access_checked", True)
    user = request.user
    if not isinstance(user, User):
        return Project.objects.none()
    token = getattr(inner, "api_token", None)
    # A subquery, not a join: callers count members and join on.
    own = Project.objects.filter(pk__in=Member.objects.filter(user=user).values("project"))
    projects = Project.objects.filter(corner_of=None) if user.is_superuser else own
    return projects.filter(pk=token.project_id) if token is not None and token.project_id else projects
