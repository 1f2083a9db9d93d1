"""Checks of class schemas and of feature properties."""

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from webapp.errors import Conflict, Invalid, TooLarge

MAX_CLASSES = 256
# Label masks hold 8 bits: 0 is background.
MAX_CLASS_VALUE = 255
MAX_PROPERTIES = 100
MAX_NAME = 100
MAX_PROPERTIES_BYTES = 16_384
FIELD_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
# What a class may be drawn as, by the dimension of its geometry; parts of one sample count as it does.
SHAPES = ("point", "line", "polygon")
# NUL, and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class ClassSpec:
    """One class as a caller wants it; `shapes` of SHAPES may be drawn as it, () any, None those that it has."""

    value: int
    name: str
    colour: str
    retired: bool = False
    shapes: tuple[str, ...] | None = None


def check_classes(classes: list[ClassSpec]) -> None:
    """Return where the classes can stand beside each other.

    Raises:
        Invalid: a value, name or colour is out of range, or there are too many.
        Conflict: two classes share a value, or two that are in use share a name.
    """
    if len(classes) > MAX_CLASSES:
        raise Invalid(f"{len(classes)} classes are too many.", fix=f"Keep to {MAX_CLASSES}.", code="too_many_classes")
    values: set[int] = set()
    names: set[str] = set()
    for item in classes:
        _check_class(item)
        if item.value in values:
            raise Conflict(f"Two classes have the value {item.value}.", fix="Give one another.", code="class_exists")
        values.add(item.value)
        key = _name_key(item.name)
        if not item.retired and key in names:
            raise Conflict(f'Two classes are named "{item.name}".', fix="Rename one.", code="class_exists")
        if not item.retired:
            names.add(key)


def parse_classes(value: Any) -> list[ClassSpec]:
    """Return the classes of a JSON list of {value, name, colour, retired, shapes}.

    Raises:
        Invalid: it is no such list.
    """
    if not isinstance(value, list):
        raise Invalid("The classes are no list.", fix='Send [{"value": 1, "name": "Tree", "colour": "#1b9e77"}].')
    return [_parse_class(item) for item in value]


def check_fields(fields: Any) -> list[dict[str, str]]:
    """Return the fields of a layer, checked.

    Raises:
        Invalid: not a list of {name, type}, or a name appears twice.
    """
    if not isinstance(fields, list) or len(fields) > MAX_PROPERTIES:
        raise Invalid("The fields are no list of at most 100.", fix='Send [{"name": "height", "type": "number"}].')
    found: list[dict[str, str]] = []
    for item in fields:
        name, kind = (item.get("name"), item.get("type")) if isinstance(item, dict) else (None, None)
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or kind not in FIELD_TYPES:
            raise Invalid(
                f"{item!r:.80} is no field.", fix=f"Give a name and a type of {', '.join(FIELD_TYPES)}.", code="field"
            )
        if any(name == other["name"] for other in found):
            raise Invalid(f'The field "{name}" appears twice.', fix="Rename one.", code="field")
        found.append({"name": name, "type": str(kind)})
    return found


def check_properties(properties: Any, fields: list[dict[str, str]]) -> dict[str, Any]:
    """Return properties that can be stored.

    Args:
        properties: a JSON object of scalars.
        fields: of the layer; empty: any names are taken.

    Raises:
        Invalid: a name is unknown, a value has another type than its field, or text cannot be stored.
        TooLarge: too many names, or too long.
    """
    if not isinstance(properties, dict):
        raise Invalid("The properties are no object.", fix='Send {"name": value}.', code="properties")
    if len(properties) > MAX_PROPERTIES:
        raise TooLarge(f"{len(properties)} properties are too many.", fix=f"Keep to {MAX_PROPERTIES}.")
    types = {item["name"]: item["type"] for item in fields}
    for name, value in properties.items():
        _check_property(name, value, types)
    if len(json.dumps(properties, ensure_ascii=False).encode()) > MAX_PROPERTIES_BYTES:
        raise TooLarge(f"The properties are over {MAX_PROPERTIES_BYTES} bytes.", fix="Shorten the texts.")
    return properties


def _check_property(name: Any, value: Any, types: dict[str, str]) -> None:
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not storable(name):
        raise Invalid(f"{name!r:.80} is no name of a property.", fix="Use 1 to 100 characters.", code="property_name")
    if types and name not in types:
        raise Invalid(f'The layer has no field "{name}".', fix=f"Use {', '.join(types)}.", code="property_unknown")
    if value is None:
        return
    if isinstance(value, float) and not math.isfinite(value):
        raise Invalid(f'"{name}" is not a finite number.', fix="Send a number or null.", code="property_value")
    if isinstance(value, int) and abs(value) > 2**63 and (types.get(name) == "integer" or not _is_float(value)):
        raise Invalid(f'"{name}" is too large a number.', fix="Send it as text.", code="property_value")
    if isinstance(value, str) and not storable(value):
        raise Invalid(
            f'"{name}" holds characters that cannot be stored.', fix="Remove NUL characters.", code="encoding"
        )
    if not isinstance(value, str | int | float | bool):
        raise Invalid(f'"{name}" is no single value.', fix="Send text, a number, true, false or null.")
    wanted = types.get(name)
    if wanted is not None and not (isinstance(value, FIELD_TYPES[wanted]) and _bool_fits(value, wanted)):
        raise Invalid(f'"{name}" is no {wanted}.', fix=f"Send a {wanted} or null.", code="property_value")


def _is_float(value: int) -> bool:
    """Return True for the whole number that JSON makes of a float: 1e30 is stored, and read again as 10**30."""
    try:
        return Decimal(repr(float(value))) == value
    except OverflowError:
        return False


def _bool_fits(value: Any, wanted: str) -> bool:
    return isinstance(value, bool) == (wanted == "boolean")


def storable(text: str) -> bool:
    """Return True for text that PostgreSQL can hold: no NUL, no lone surrogate."""
    return _UNSTORABLE.search(text) is None


def _parse_class(item: Any) -> ClassSpec:
    if not isinstance(item, dict):
        raise Invalid(f"{item!r:.80} is no class.", fix="Send {value, name, colour}.", code="class_invalid")
    value, name, colour, retired = item.get("value"), item.get("name"), item.get("colour"), item.get("retired", False)
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or not isinstance(name, str)
        or not isinstance(colour, str)
        or not isinstance(retired, bool)
    ):
        raise Invalid(
            f"{item!r:.80} is no class.", fix="Send a whole number, a name and a colour #rrggbb.", code="class_invalid"
        )
    return ClassSpec(value, name.strip(), colour.lower(), retired, _parse_shapes(item.get("shapes")))


def _parse_shapes(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(one in SHAPES for one in value):
        raise Invalid(f"{value!r:.80} are no shapes.", fix=f"Send some of {', '.join(SHAPES)}.", code="class_shapes")
    chosen = tuple(shape for shape in SHAPES if shape in value)
    return () if chosen == SHAPES else chosen


def check_shape_of_class(dimension: int, name: str, shapes: Sequence[str]) -> None:
    """Return where a geometry of a dimension may be of a class.

    Args:
        dimension: 0 points, 1 lines, 2 areas.
        name: of the class.
        shapes: that it may be drawn as; empty: any.

    Raises:
        Invalid: it may not (code `shape_not_allowed`).
    """
    if shapes and SHAPES[dimension] not in shapes:
        wanted = " or ".join(f"{shape}s" for shape in shapes)
        raise Invalid(
            f'The class "{name}" takes {wanted}, and this is a {SHAPES[dimension]}.',
            fix="Draw it otherwise, choose another class, or change the class's shapes.",
            code="shape_not_allowed",
        )


def _check_class(item: ClassSpec) -> None:
    if not 1 <= item.value <= MAX_CLASS_VALUE:
        raise Invalid(
            f"The class value {item.value} is out of range.",
            fix=f"Use 1 to {MAX_CLASS_VALUE}; 0 is the background of label masks.",
            code="class_value",
        )
    if not _name_key(item.name) or len(item.name) > MAX_NAME or not storable(item.name):
        raise Invalid(f"{item.name!r:.80} is no class name.", fix="Use 1 to 100 characters.", code="class_name")
    if not COLOUR.fullmatch(item.colour):
        raise Invalid(f"{item.colour!r:.40} is no colour.", fix="Use #rrggbb.", code="class_colour")


def _name_key(name: str) -> str:
    """Two names that look alike are one: case, composed letters, spaces and zero-width characters do not count."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in folded if unicodedata.category(character) not in ("Cf", "Zs", "Cc"))
