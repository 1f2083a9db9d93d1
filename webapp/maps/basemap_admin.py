"""Basemaps in Django's admin: the page where an administrator names them."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from webapp.errors import Invalid
from webapp.maps import addresses
from webapp.maps.models import Basemap


class BasemapForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A basemap; its key is written, never shown."""

    forget_key = forms.BooleanField(required=False, label="Forget the key")
    default = forms.BooleanField(required=False, help_text="Under every map that chose none, in place of the one now.")

    class Meta:
        """All fields; whether it is the default is ours to keep true of one."""

        model = Basemap
        exclude = ("is_default",)
        widgets = {
            "url": forms.TextInput(attrs={"size": 90}),
            "key": forms.PasswordInput(attrs={"size": 60, "autocomplete": "off"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["default"].initial = self.instance.is_default

    def clean_key(self) -> str:
        """Return the key; a field left empty keeps the one that is there."""
        return str(self.cleaned_data["key"] or self.initial.get("key", ""))

    def clean(self) -> dict[str, Any] | None:
        """Check what belongs together."""
        values = super().clean() or {}
        if values.get("forget_key"):
            values["key"] = ""
        url, kind = values.get("url"), values.get("kind")
        if url and kind:
            self._checked("url", lambda: addresses.check(url=url, kind=kind, https=settings.HTTPS))
            if "{s}" in url:
                self._checked("subdomains", lambda: addresses.check_subdomains(values.get("subdomains", "")))
            if "{key}" in url and not values.get("key"):
                self.add_error("key", "The address asks for a key. Give one, or take {key} out of the address.")
        if kind == Basemap.Kind.WMS and not values.get("wms_layers"):
            self.add_error("wms_layers", "A WMS is asked for layers: name one at least.")
        low, high = values.get("min_zoom"), values.get("max_zoom")
        if low is not None and high is not None and not low <= high <= 26:
            self.add_error("max_zoom", "Give a zoom from the lowest one to 26.")
        return values

    def _checked(self, field: str, check: Any) -> None:
        try:
            check()
        except Invalid as error:
            self.add_error(field, ValidationError(f"{error.message} {error.fix}"))


@admin.register(Basemap)
class BasemapAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Basemaps. Their addresses are listed without the key."""

    form = BasemapForm
    list_display = ("name", "kind", "url", "has_key", "is_default")
    list_filter = ("kind",)
    search_fields = ("name", "url")
    fieldsets = (
        (None, {"fields": ("name", "kind", "url", "key", "forget_key", "subdomains", "default")}),
        ("WMS", {"fields": ("wms_layers", "wms_format", "wms_version")}),
        ("Shown with it", {"fields": ("attribution", "attribution_url")}),
        ("Tiles", {"fields": ("min_zoom", "max_zoom", "tile_size")}),
    )

    @admin.display(boolean=True, description="key")
    def has_key(self, row: Basemap) -> bool:
        """Return whether it has a key."""
        return bool(row.key)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save it; a new default takes the place of the old one."""
        obj.is_default = form.cleaned_data["default"]
        if obj.is_default:
            Basemap.objects.filter(is_default=True).exclude(pk=obj.pk).update(is_default=False)
        super().save_model(request, obj, form, change)
