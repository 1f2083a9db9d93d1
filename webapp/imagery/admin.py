"""Imagery in Django's admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from leaflet.admin import LeafletGeoAdmin

from webapp.imagery import services, uploads
from webapp.imagery.models import ImageryLayer, NamedRendering, Upload
from webapp.projects.admin import DeletedByService
from webapp.projects.models import User


class NamedRenderingInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Looks of an imagery layer. Their words are checked by the API, so here they are read-only."""

    model = NamedRendering
    extra = 0
    fields = ("name", "title", "words", "created_by", "updated_at")
    readonly_fields = ("name", "words", "created_by", "updated_at")

    def has_add_permission(self, request: HttpRequest, obj: ImageryLayer | None = None) -> bool:
        """Renderings come from the API."""
        return False


@admin.register(ImageryLayer)
class ImageryLayerAdmin(DeletedByService, LeafletGeoAdmin):  # type: ignore[misc]  # leaflet is untyped
    """Imagery layers. What the pixels say is read-only."""

    list_display = ("name", "project", "kind", "state", "epsg", "gsd_m", "width", "height", "created_at")
    list_filter = ("kind", "state", "position_assumed", "project")
    search_fields = ("name", "attribution")
    autocomplete_fields = ()
    raw_id_fields = ("project", "job", "created_by")
    inlines = (NamedRenderingInline,)
    readonly_fields = (
        *("kind", "state", "version", "analysis_path", "display_path", "blocks_path", "sha256", "size_bytes"),
        *("crs_wkt", "epsg", "height", "width", "transform", "gsd_m", "dtype", "nodata", "bands", "rendering"),
        *("min_zoom", "max_zoom", "job", "created_by"),
    )

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Delete it as its page does."""
        assert isinstance(request.user, User)
        services.delete(layer=obj, user=request.user)


@admin.register(Upload)
class UploadAdmin(DeletedByService, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Uploads on their way."""

    list_display = ("filename", "project", "user", "size_bytes", "received_bytes", "state", "created_at")
    list_filter = ("state",)
    readonly_fields = ("size_bytes", "received_bytes", "position", "options", "job", "layer")
    raw_id_fields = ("project", "user")

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Delete it with its bytes."""
        uploads.discard(upload=obj)
