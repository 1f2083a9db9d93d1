"""Feature layers in the admin. A feature is changed by an edit here too, so that the log stays whole."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from webapp.features import services
from webapp.features.editing import apply_edits
from webapp.features.edits import NO_CLASS, EditRequest, EditResult
from webapp.features.models import Edit, Feature, FeatureClass, FeatureLayer
from webapp.projects.admin import DeletedByService
from webapp.projects.map_admin import MapAdmin
from webapp.projects.models import User

NO_BUTTONS = {
    "show_save": False,
    "show_save_and_continue": False,
    "show_save_and_add_another": False,
    "show_delete": False,
}


def _user(request: HttpRequest) -> User:
    # The admin let nobody else in.
    assert isinstance(request.user, User)
    return request.user


class ClassInline(admin.TabularInline):  # type: ignore[type-arg]  # generic in the stubs only
    """Classes under their layer."""

    model = FeatureClass
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: FeatureLayer | None = None) -> bool:
        """Return False: the class schema is edited where people label, who then hear of it at once."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: FeatureLayer | None = None) -> bool:
        """Return False: see `has_add_permission`."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: FeatureLayer | None = None) -> bool:
        """Return False: classes are retired, edits that wait somewhere may use them."""
        return False


@admin.register(FeatureLayer)
class FeatureLayerAdmin(DeletedByService, admin.ModelAdmin):  # type: ignore[type-arg]
    """Layers with their classes."""

    list_display = ("name", "project", "kind", "state", "feature_count", "seq", "updated_at")
    list_filter = ("kind", "state")
    search_fields = ("name", "project__name")
    list_select_related = ("project",)
    readonly_fields = (
        *("seq", "next_fid", "feature_count", "schema_version", "west", "south", "east", "north"),
        *("job", "created_by"),
    )
    inlines = (ClassInline,)

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Delete it as its page does."""
        services.delete(layer=obj, user=_user(request))


class FeatureForm(forms.ModelForm):  # type: ignore[type-arg]
    """A feature with the version that the page showed."""

    base_version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Feature
        fields = ("geometry", "class_value", "properties", "verified")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["base_version"].initial = self.instance.version

    def clean(self) -> dict[str, Any] | None:
        """Refuse to save over a newer version."""
        if self.cleaned_data.get("base_version") != self.instance.version:
            raise ValidationError("Somebody changed this feature meanwhile. Open it again.")
        return super().clean()


@admin.register(Feature)
class FeatureAdmin(MapAdmin):
    """Features on a map."""

    form = FeatureForm
    fields = (
        *("geometry", "class_value", "properties", "verified", "base_version"),
        *("id", "layer", "fid", "version", "score", "source", "area_m2", "deleted", "created_by", "updated_by"),
    )
    readonly_fields = (
        *("id", "layer", "fid", "version", "score", "source", "area_m2", "deleted", "created_by", "updated_by"),
    )
    list_display = ("fid", "layer", "class_value", "score", "version", "source", "verified", "deleted", "updated_at")
    list_filter = ("source", "verified", "deleted")
    search_fields = ("id", "layer__name")
    list_select_related = ("layer",)
    show_full_result_count = False
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: features are drawn on the labeling page."""
        return False

    def save_model(self, request: HttpRequest, obj: Feature, form: FeatureForm, change: bool) -> None:
        """Store the change as an edit."""
        edit = EditRequest(
            uuid4(),
            "update",
            obj.pk,
            form.cleaned_data["base_version"],
            geometry=obj.geometry if "geometry" in form.changed_data else None,
            class_value=obj.class_value or NO_CLASS,
            properties=obj.properties or {},
            verified=obj.verified,
            allow_retired=True,
        )
        self._tell(request, apply_edits(layer=obj.layer, edits=[edit], user=_user(request))[0])

    def delete_model(self, request: HttpRequest, obj: Feature) -> None:
        """Delete by an edit: the tombstone and the history stay."""
        edit = EditRequest(uuid4(), "delete", obj.pk, obj.version)
        self._tell(request, apply_edits(layer=obj.layer, edits=[edit], user=_user(request))[0])

    def _tell(self, request: HttpRequest, result: EditResult) -> None:
        if result.error is not None:
            text = f"Not saved. {result.error['message']} {result.error['fix']}"
            self.message_user(request, text, messages.ERROR)


@admin.register(Edit)
class EditAdmin(MapAdmin):
    """The log, to look at."""

    readonly_fields = (
        *("layer", "seq", "op_id", "feature_id", "action", "base_version", "version", "class_value", "score"),
        *("properties", "source", "verified", "digest", "actor", "at"),
    )
    list_display = ("seq", "layer", "action", "feature_id", "version", "actor", "at")
    list_filter = ("action",)
    search_fields = ("feature_id", "op_id", "layer__name")
    list_select_related = ("layer", "actor")
    show_full_result_count = False
    modifiable = False
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: rows come from edits."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Edit | None = None) -> bool:
        """Return True to look, with the map, and False to send anything."""
        return request.method in ("GET", "HEAD") and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Edit | None = None) -> bool:
        """Return False: the log is only ever added to."""
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one edit without buttons."""
        found: HttpResponse = super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), **NO_BUTTONS}
        )
        return found
