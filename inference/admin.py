"""Inferences in the administration: to look things up; services do the changes."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from inference.models import Block, Inference
from webapp.projects.admin import DeletedByService, NotDeleted
from webapp.projects.map_admin import MapAdmin
from webapp.projects.models import User


class BlockInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Finished blocks."""

    model = Block
    extra = 0
    fields = ("number", "features", "seconds", "sha256", "at")
    readonly_fields = fields
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Inference | None = None) -> bool:
        """Blocks come from the job."""
        return False


@admin.register(Inference)
class InferenceAdmin(DeletedByService, MapAdmin):
    """Applications of packages to imagery."""

    list_display = ("name", "project", "task", "package", "imagery", "blocks_total", "created_by", "created_at")
    list_filter = ("task", "project")
    search_fields = ("name", "project__name")
    raw_id_fields = (
        *("project", "package", "imagery", "result_imagery", "result_features", "map", "job", "created_by"),
    )
    readonly_fields = ("task", "imagery_version", "settings", "blocks_total")
    inlines = (BlockInline,)

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Delete it; its result layers stay."""
        from inference import services  # brings GDAL, which the web process loads only when asked

        assert isinstance(request.user, User)
        services.delete(row=obj, user=request.user, with_results=False)


@admin.register(Block)
class BlockAdmin(NotDeleted, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Finished blocks of all inferences."""

    list_display = ("inference", "number", "features", "seconds", "at")
    raw_id_fields = ("inference",)
    readonly_fields = ("number", "sha256", "features", "seconds")
