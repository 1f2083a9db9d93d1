"""The API of jobs."""

from uuid import UUID

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.errors import Denied, Invalid, NotFound
from webapp.jobs import restarts, selectors, services
from webapp.jobs.models import Job
from webapp.projects import access
from webapp.projects.models import Role, User
from webapp.projects.paging import limit_of, page

STATES = ("unfinished", *Job.State.values)


@api_view(["GET"])
def jobs(request: Request) -> Response:
    """List jobs, newest first; `?project=` and `?state=` (a state, or `unfinished`) narrow it down."""
    projects = access.visible_projects(request)
    wanted, state = request.query_params.get("project", ""), request.query_params.get("state", "")
    if state and state not in STATES:
        raise Invalid(f"There is no state '{state}'.", fix=f"Use one of {', '.join(STATES)}.")
    if wanted:
        projects = projects.filter(pk=_uuid(wanted))
    rows, following = page(selectors.jobs(projects, state=state), request)
    return Response({"results": [selectors.job_json(row) for row in rows], "next": following})


@api_view(["GET"])
def job(request: Request, pk: UUID) -> Response:
    """Show a job: its state, progress, error and result."""
    found, _ = authorised(request, pk)
    return Response(selectors.job_json(found))


@api_view(["POST"])
def cancel(request: Request, pk: UUID) -> Response:
    """Cancel a job: your own, or any as a manager. One that has ended stays as it is."""
    found, role = authorised(request, pk)
    user = request.user
    assert isinstance(user, User)
    access.require_author_or_manager(request, role, found.created_by_id, "job")
    services.cancel(job=found, user=user)
    changed = selectors.job(pk)
    assert changed is not None
    return Response(selectors.job_json(changed))


@api_view(["POST"])
@access.keeps_role
def restart(request: Request, pk: UUID) -> Response:
    """Run a failed or cancelled job again: whoever may start one like it. Answers with the new job."""
    found, role = authorised(request, pk)
    rule = restarts.rule_of(found)
    token = getattr(request._request, "api_token", None)
    if role < rule.role or (token is not None and rule.scope not in token.scopes):
        raise Denied(f"Running this again needs the role {rule.role.label}.", fix="Ask a manager of the project.")
    user = request.user
    assert isinstance(user, User)
    new = restarts.restart(job=found, user=user)
    return Response(selectors.job_json(new), status=201)


@api_view(["GET"])
def events(request: Request, pk: UUID) -> Response:
    """List the lines of a job's log after number `?after=`."""
    found, _ = authorised(request, pk)
    after, limit = request.query_params.get("after", "0"), limit_of(request, largest=selectors.MOST_EVENTS)
    if not after.isascii() or not after.isdigit() or len(after) > 18:
        raise Invalid(f"after is '{after}'.", fix="Give the number of the last line you have, or 0.")
    rows = selectors.events(found, after=int(after), limit=limit)
    following = f"{request.path}?after={rows[-1]['seq']}&limit={limit}" if len(rows) == limit else None
    return Response({"results": rows, "next": following})


def authorised(request: Request, pk: UUID) -> tuple[Job, Role]:
    """Return a job that the caller may reach, and the caller's role.

    Raises:
        NotFound: there is none, or it is not the caller's; a job of no project is the administrators'.
    """
    found = selectors.job(pk)
    if found is None:
        raise NotFound("job")
    if found.project is None:
        access.authorise_site(request)
        return found, Role.OWNER
    return found, access.authorise(request, found.project)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(f"project is '{text[:40]}'.", fix="Give the id of a project.") from None
