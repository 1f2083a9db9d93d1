"""What an edit may put into a layer: its properties, its class, and the shape that its class may have."""

from collections.abc import Mapping
from typing import Any

from webapp.errors import Invalid
from webapp.features.edit_store import ClassRow
from webapp.features.edits import NO_CLASS, EditRequest
from webapp.features.models import Feature
from webapp.features.schema import check_properties, check_shape_of_class


def check_content(
    edit: EditRequest, feature: Feature | None, fields: list[dict[str, Any]], classes: Mapping[int, ClassRow]
) -> str:
    """Return a warning ("" or "retired_class") where the layer can hold what an edit says; geometries are not checked.

    Args:
        edit: the edit.
        feature: that it changes; None: it is new.
        fields: of the layer.
        classes: of the layer, by value.

    Raises:
        Invalid: there is no geometry, or a property, the score, the class or the class's shape is wrong.
        TooLarge: too many properties, or too long.
    """
    if edit.action == "delete":
        return ""
    if edit.geometry is None and feature is None:
        raise Invalid("There is no geometry.", fix="Give the feature one.", code="geometry_missing")
    if edit.properties is not None:
        check_properties(edit.properties, fields)
    if edit.score is not None and not 0 <= edit.score <= 1:
        raise Invalid(f"The score {edit.score} is out of range.", fix="Use 0 to 1.", code="score")
    warning = _check_class(edit, feature, classes)
    _check_shape(edit, feature, classes)
    return warning


def _check_shape(edit: EditRequest, feature: Feature | None, classes: Mapping[int, ClassRow]) -> None:
    """What was there before its class was narrowed stays, and may be taken back to."""
    if edit.as_it_was:
        return
    known = None if feature is None else (feature.class_value, int(feature.geometry.dims))
    value = known[0] if known and edit.class_value is None else edit.class_value
    dimension = known[1] if known and edit.geometry is None else int(edit.geometry.dims) if edit.geometry else 0
    if value and (value, dimension) != known:
        check_shape_of_class(dimension, classes[value].name, classes[value].shapes)


def _check_class(edit: EditRequest, feature: Feature | None, classes: Mapping[int, ClassRow]) -> str:
    value = edit.class_value
    if value is None or value == NO_CLASS:
        return ""
    if value not in classes:
        raise Invalid(
            f"The layer has no class {value}.",
            fix="Add the class to the schema, or choose another.",
            code="class_unknown",
        )
    if not classes[value].retired:
        return ""
    if not (edit.allow_retired or edit.as_it_was) and (feature is None or feature.class_value != value):
        raise Invalid(f"The class {value} is retired.", fix="Choose another class.", code="class_retired")
    return "retired_class"
