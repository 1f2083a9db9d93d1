"""Pages of jobs."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webapp.errors import NotFound
from webapp.jobs import restarts, selectors
from webapp.jobs.models import Job
from webapp.projects import access
from webapp.projects.models import Role


def jobs(request: HttpRequest) -> HttpResponse:
    """Show the list of jobs."""
    projects = [
        {"id": str(pk), "name": name} for pk, name in access.visible_projects(request).values_list("pk", "name")
    ]
    return render(request, "jobs/jobs.html", {"config": {"projects": projects}, "breadcrumb": [("Jobs", None)]})


def job(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show one job with its log."""
    found = selectors.job(pk)
    if found is None:
        raise NotFound("job")
    if found.project is None:
        access.authorise_site(request)
        role = Role.OWNER
    else:
        role = access.authorise(request, found.project)
    later = Job.objects.filter(restarts=found).first()
    config = {
        "job": selectors.job_json(found),
        "may_cancel": access.author_or_manager(request, role, found.created_by_id),
        "may_restart": found.kind in restarts.KINDS and role >= restarts.rule_of(found).role,
        "goes_on": restarts.goes_on(found.kind),
        "restarts": None if found.restarts is None else found.restarts.get_absolute_url(),
        "restarted_by": None if later is None else later.get_absolute_url(),
    }
    breadcrumb = [("Jobs", "/jobs/"), (found.title or found.kind, None)]
    return render(request, "jobs/job.html", {"config": config, "breadcrumb": breadcrumb, "job": found})
