"""Imagery in Django's admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from webapp.imagery import services, uploads
from webapp.imagery.models import ImageryLayer, Mosaic, MosaicScene, NamedRendering, Upload
from webapp.projects.admin import DeletedByService
from webapp.projects.map_admin import MapAdmin
from webapp.projects.models import User

SHOWN = (("Least", "min"), ("Most", "max"), ("Mean", "mean"), ("Deviation", "std"), ("2 %", "p2"), ("98 %", "p98"))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


class FromApiInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """What belongs to an imagery layer and is checked by the API, so here it is read-only."""

    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: ImageryLayer | None = None) -> bool:
        """They come from the API."""
        return False


class NamedRenderingInline(FromApiInline):
    """Looks of an imagery layer."""

    model = NamedRendering
    fields = ("name", "title", "words", "created_by", "updated_at")
    readonly_fields = ("name", "words", "created_by", "updated_at")


class MosaicInline(FromApiInline):
    """A mosaic's rule."""

    model = Mosaic
    can_delete = False
    readonly_fields = ("rule", "overview_path")


class MosaicSceneInline(FromApiInline):
    """A mosaic's scenes."""

    model = MosaicScene
    fk_name = "mosaic"
    can_delete = False
    readonly_fields = ("scene", "position")
    verbose_name_plural = "scenes"


@admin.register(ImageryLayer)
class ImageryLayerAdmin(DeletedByService, MapAdmin):
    """Imagery layers. What the pixels say is read-only."""

    list_display = ("name", "project", "kind", "state", "epsg", "gsd_m", "width", "height", "created_at")
    list_filter = ("kind", "state", "position_assumed", "project")
    search_fields = ("name", "attribution")
    autocomplete_fields = ()
    raw_id_fields = ("project", "job", "created_by")
    inlines = (MosaicInline, MosaicSceneInline, NamedRenderingInline)
    readonly_fields = (
        *("kind", "state", "version", "analysis_path", "display_path", "blocks_path", "sha256", "size_bytes"),
        *("crs_wkt", "epsg", "height", "width", "transform", "gsd_m", "dtype", "nodata", "statistics", "rendering"),
        *("min_zoom", "max_zoom", "job", "created_by"),
    )

    exclude = ("bands",)  # with histograms of thousands of numbers

    @admin.display(description="Bands")
    def statistics(self, obj: ImageryLayer) -> str:
        """Return a table of the bands; their histograms are drawn on the layer's page."""
        rows = [(band.get("name", ""), *(_number(band.get(key)) for _, key in SHOWN)) for band in obj.bands]
        head = format_html_join("", "<th>{}</th>", [("Band",), *((title,) for title, _ in SHOWN)])
        cells = [(format_html_join("", "<td>{}</td>", [(cell,) for cell in row]),) for row in rows]
        body = format_html_join("", "<tr>{}</tr>", cells)
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, body)

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
