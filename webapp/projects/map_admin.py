"""The administration's maps: django-leaflet's widget, as near as the geometry is small."""

from typing import ClassVar

from leaflet.admin import LeafletAdminWidget, LeafletGeoAdmin


class MapWidget(LeafletAdminWidget):  # type: ignore[misc]  # leaflet is untyped
    """A geometry on a map that shows all of it, and little else."""

    geometry_field_class = "L.CloseGeometryField"

    class Media:
        """Added to what the widget itself loads."""

        # The first is named again, so that ours comes after it.
        js: ClassVar[list[str]] = ["leaflet/leaflet.forms.js", "quadrat/map-field.js"]


class MapAdmin(LeafletGeoAdmin):  # type: ignore[misc]  # leaflet is untyped
    """For models with a geometry."""

    widget = MapWidget
