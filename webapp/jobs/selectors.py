"""Jobs as the API and the sockets show them."""

from typing import Any

from django.db.models import Q, QuerySet

from webapp.jobs.models import Job, JobEvent
from webapp.projects.deletion import Use, use_of
from webapp.projects.models import Project

MOST_EVENTS = 500
MOST_LIVE_JOBS = 100


def job_json(job: Job) -> dict[str, Any]:
    """Return a job."""
    error = {"code": job.error_code, "message": job.error_message, "fix": job.error_fix}
    return {
        "id": str(job.pk),
        "kind": job.kind,
        "title": job.title or job.kind,
        "state": job.state,
        "progress": job.progress,
        "message": job.message,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "cancel_requested": job.cancel_requested,
        "error": error if job.error_code else None,
        "created_at": job.created_at.isoformat(),
        "started_at": job.started_at and job.started_at.isoformat(),
        "finished_at": job.finished_at and job.finished_at.isoformat(),
        "created_by": job.created_by.username if job.created_by else None,
        "project": str(job.project_id) if job.project_id else None,
        "project_name": job.project.name if job.project else "",
        "result": job.result,
        "seq": job.seq,
        "url": f"/jobs/{job.pk}/",
    }


def jobs(projects: QuerySet[Project], *, state: str = "") -> QuerySet[Job]:
    """Return the jobs of projects; `state` is one state, or `unfinished`."""
    found = Job.objects.filter(project__in=projects).select_related("project", "created_by")
    if state == "unfinished":
        return found.filter(finished_at=None)
    return found.filter(state=state) if state else found


def events(job: Job, *, after: int = 0, limit: int = MOST_EVENTS) -> list[dict[str, Any]]:
    """Return lines of the log after a number, oldest first."""
    rows = JobEvent.objects.filter(job=job, seq__gt=after).order_by("seq")[:limit]
    return [
        {"seq": row.seq, "level": row.level, "text": row.text, "attempt": row.attempt, "at": row.at.isoformat()}
        for row in rows
    ]


def at_work(wanted: Q) -> list[Use]:
    """Return the jobs like this that have not ended, as what stands in the way of a deletion."""
    return [use_of(row) for row in Job.objects.filter(wanted, finished_at=None)[:20]]


def job(pk: Any) -> Job | None:
    """Return a job with its project and author."""
    return Job.objects.select_related("project", "created_by").filter(pk=pk).first()
