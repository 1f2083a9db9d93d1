"""Jobs in Django's admin: looked at and cancelled, never edited."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from webapp.errors import QuadratError
from webapp.jobs import services
from webapp.jobs.models import Job, JobEvent
from webapp.projects.admin import ReadOnly
from webapp.projects.models import User


@admin.register(Job)
class JobAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Launches of long work."""

    list_display = ("title", "kind", "state", "attempt", "project", "created_by", "created_at", "finished_at")
    list_filter = ("state", "kind", "lane")
    search_fields = ("title", "project__name", "=id")
    list_select_related = ("project", "created_by")
    exclude = ("token",)  # whoever has it can write the job's result
    actions = ("cancel",)

    @admin.action(description="Cancel the chosen jobs", permissions=("cancel",))
    def cancel(self, request: HttpRequest, queryset: "QuerySet[Job]") -> None:
        """Cancel jobs that have not ended."""
        user = request.user
        assert isinstance(user, User)
        for job in queryset:
            try:
                services.cancel(job=job, user=user)
            except QuadratError as error:
                self.message_user(request, f"{job}: {error}", messages.WARNING)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Return True for administrators who may change jobs."""
        return bool(request.user.has_perm("jobs.change_job"))


@admin.register(JobEvent)
class JobEventAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Lines of the jobs' logs."""

    list_display = ("at", "job", "seq", "level", "attempt", "text")
    list_filter = ("level",)
    search_fields = ("text", "=job__id")
    list_select_related = ("job",)
    show_full_result_count = False
