"""Training in the administration: to look things up; services do the changes."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from training.models import Epoch, ModelPackage, Run, TrainingData
from webapp.projects.admin import DeletedByService, NotDeleted
from webapp.projects.models import User


class EpochInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Epochs of a run."""

    model = Epoch
    extra = 0
    fields = ("number", "seconds", "metrics", "at")
    readonly_fields = fields
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        """Epochs come from training."""
        return False


@admin.register(TrainingData)
class TrainingDataAdmin(DeletedByService, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Folders of chips."""

    list_display = ("name", "project", "metadata_format", "layer_seq", "size_bytes", "created_by", "created_at")
    list_filter = ("metadata_format",)
    search_fields = ("name", "project__name")
    raw_id_fields = ("project", "label_set", "job", "created_by")
    readonly_fields = ("path", "statistics", "size_bytes", "layer_seq", "imagery_version")

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Delete it as its page does."""
        from training import services  # brings GDAL, which the web process loads only when asked

        assert isinstance(request.user, User)
        services.delete_data(data=obj, user=request.user)


@admin.register(Run)
class RunAdmin(DeletedByService, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Trainings."""

    list_display = ("name", "project", "network", "best_epoch", "package", "created_by", "created_at")
    list_filter = ("network",)
    search_fields = ("name", "project__name")
    raw_id_fields = ("project", "training_data", "package", "job", "created_by")
    inlines = (EpochInline,)

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Delete it as its page does."""
        from training import services  # brings GDAL, which the web process loads only when asked

        assert isinstance(request.user, User)
        services.delete_run(run=obj, user=request.user)


@admin.register(ModelPackage)
class ModelPackageAdmin(NotDeleted, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Model packages: uninstalled on their pages, so that where they were used stays known."""

    list_display = ("name", "project", "task", "network", "source", "resolution_m", "uninstalled_at", "created_at")
    list_filter = ("task", "network", "source")
    search_fields = ("name", "project__name", "sha256")
    raw_id_fields = ("project", "created_by")
    readonly_fields = ("path", "sha256", "size_bytes", "uninstalled_at")
