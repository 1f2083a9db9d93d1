"""Maps in Django's admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from webapp.maps import basemap_admin, services
from webapp.maps.models import Map, MapLayer
from webapp.projects.admin import DeletedByService

__all__ = ["basemap_admin"]  # Django finds what is registered from here


class MapLayerInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Layers of a map, the bottom one first."""

    model = MapLayer
    extra = 0
    raw_id_fields = ("imagery", "features")


@admin.register(Map)
class MapAdmin(DeletedByService, admin.ModelAdmin):  # type: ignore[type-arg]
    """Maps with their layers."""

    list_display = ("name", "project", "share", "created_by", "updated_at")
    list_filter = ("share",)
    search_fields = ("name", "project__name")
    raw_id_fields = ("project", "created_by")
    readonly_fields = ("version",)
    list_select_related = ("project", "created_by")
    inlines = (MapLayerInline,)

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Delete it; open viewers are told."""
        services.delete_map(map=obj)
