"""Label sets and tasks in the admin. Tasks are changed on the labeling page, where their history is written."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from labeling import services
from labeling.blind_models import BlindTask, Labelling
from labeling.models import Comment, CopiedSample, ImageryOffset, LabelSet, Mention, Proposal, Task, TaskEvent, Verdict
from labeling.review_models import NoObject
from webapp.projects.admin import DeletedByService, ReadOnly
from webapp.projects.models import User


@admin.register(LabelSet)
class LabelSetAdmin(DeletedByService, admin.ModelAdmin):  # type: ignore[type-arg]  # django-stubs' generics need a patch at run time
    """Label sets with their imagery and layer."""

    list_display = ("name", "project", "imagery", "layer", "created_by", "created_at")
    search_fields = ("name", "project__name")
    list_select_related = ("project", "imagery", "layer", "created_by")
    raw_id_fields = ("project", "imagery", "layer", "copied_from", "created_by")

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


@admin.register(ImageryOffset)
class ImageryOffsetAdmin(ReadOnlyAdmin):
    """How far imagery is shown from where its file says."""

    list_display = ("label_set", "imagery", "east_m", "north_m", "note", "set_by", "set_at")
    search_fields = ("label_set__name", "note")
    list_select_related = ("label_set", "imagery", "set_by")


@admin.register(NoObject)
class NoObjectAdmin(ReadOnlyAdmin):
    """Places where a model sees an object and somebody said that there is none."""

    list_display = ("at", "label_set", "feature_id", "decided_by")
    search_fields = ("label_set__name",)
    list_select_related = ("label_set", "decided_by")


@admin.register(CopiedSample)
class CopiedSampleAdmin(ReadOnlyAdmin):
    """Samples that began as copies of those of another date."""

    list_display = ("feature_id", "origin_id", "label_set")
    search_fields = ("label_set__name",)
    list_select_related = ("label_set",)


class LabellingInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Who works on a blind task; the answers themselves are shown nowhere here."""

    model = Labelling
    fields = ("person", "state", "begun_at", "done_at")
    extra = 0


@admin.register(BlindTask)
class BlindTaskAdmin(ReadOnlyAdmin):
    """Tasks that are worked on on sheets."""

    inlines = (LabellingInline,)
    fields = ("task", "kind", "state", "people", "passed", "settled_by", "settled_at")
    list_display = ("task", "kind", "state", "settled_by", "settled_at")
    list_filter = ("kind", "state")
    search_fields = ("task__label_set__name",)
    list_select_related = ("task", "settled_by")


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
