"""Label sets in the admin."""

from django.contrib import admin

from labeling.models import LabelSet


@admin.register(LabelSet)
class LabelSetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # django-stubs' generics need a patch at run time
    """Label sets with their imagery and layer."""

    list_display = ("name", "project", "imagery", "layer", "created_by", "created_at")
    search_fields = ("name", "project__name")
    list_select_related = ("project", "imagery", "layer", "created_by")
    raw_id_fields = ("project", "imagery", "layer", "created_by")
