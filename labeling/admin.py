"""Label sets and tasks in the admin. Tasks are changed on the labeling page, where their history is written."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from labeling import services
from labeling.models import Comment, LabelSet, Mention, Proposal, Task, TaskEvent, Verdict
from webapp.projects.admin import DeletedByService, ReadOnly
from webapp.projects.models import User


@admin.register(LabelSet)
class LabelSetAdmin(DeletedByService, admin.ModelAdmin):  # type: ignore[type-arg]  # django-stubs' generics need a patch at run time
    """Label sets with their imagery and layer."""

    list_display = ("name", "project", "imagery", "layer", "created_by", "created_at")
    search_fields = ("name", "project__name")
    list_select_related = ("project", "imagery", "layer", "created_by")
    raw_id_fields = ("project", "imagery", "layer", "created_by")

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Delete it as its page does."""
        assert isinstance(request.user, User)
        services.delete(label_set=obj, user=request.user)


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows to look at: services write them."""

    show_full_result_count = False
    actions = None


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    """Tasks with their leases."""

    list_display = ("number", "label_set", "state", "priority", "assigned_to", "holder", "token", "lease_until")
    list_filter = ("state",)
    search_fields = ("number", "label_set__name")
    list_select_related = ("label_set", "assigned_to", "holder")


@admin.register(TaskEvent)
class TaskEventAdmin(ReadOnlyAdmin):
    """The history of tasks."""

    list_display = ("seq", "label_set", "task", "action", "from_state", "to_state", "actor", "at")
    list_filter = ("action",)
    search_fields = ("label_set__name", "note")
    list_select_related = ("label_set", "task", "actor")


@admin.register(Proposal)
class ProposalAdmin(ReadOnlyAdmin):
    """Changes that were drawn under leases that had ended."""

    list_display = ("created_at", "task", "action", "author", "state", "decided_by")
    list_filter = ("state", "action")
    search_fields = ("task__label_set__name",)
    list_select_related = ("task", "author", "decided_by")


@admin.register(Verdict)
class VerdictAdmin(ReadOnlyAdmin):
    """What reviewers decided."""

    list_display = ("at", "label_set", "kind", "author", "source", "class_value", "score", "reviewer")
    list_filter = ("kind", "source")
    search_fields = ("label_set__name",)
    list_select_related = ("label_set", "author", "reviewer")


class MentionInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Who was named in a comment, and who has read it."""

    model = Mention
    fields = ("user", "read_at")
    extra = 0


@admin.register(Comment)
class CommentAdmin(ReadOnlyAdmin):
    """What people say about places and samples."""

    inlines = (MentionInline,)
    list_display = ("created_at", "label_set", "author", "__str__", "resolved_at")
    search_fields = ("label_set__name", "text")
    list_select_related = ("label_set", "author")
