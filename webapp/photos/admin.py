"""Photos in Django's admin: looked at; they come and go on their set's page."""

from django.contrib import admin

from webapp.photos.models import Photo
from webapp.projects.admin import NotDeleted, ReadOnly


@admin.register(Photo)
class PhotoAdmin(NotDeleted, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Photos of all sets."""

    list_display = ("name", "layer", "width", "height", "created_by", "created_at")
    search_fields = ("name", "layer__name")
    list_select_related = ("layer", "created_by")
