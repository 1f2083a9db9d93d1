"""Maps in Django's admin."""

from django.contrib import admin

from webapp.maps.models import Map, MapLayer


class MapLayerInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Layers of a map, the bottom one first."""

    model = MapLayer
    extra = 0
    raw_id_fields = ("imagery", "features")


@admin.register(Map)
class MapAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Maps with their layers."""

    list_display = ("name", "project", "share", "created_by", "updated_at")
    list_filter = ("share",)
    search_fields = ("name", "project__name")
    raw_id_fields = ("project", "created_by")
    readonly_fields = ("version",)
    list_select_related = ("project", "created_by")
    inlines = (MapLayerInline,)
