"""Many features of one class into another: merging and splitting classes, each change with its row in the log."""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from webapp.errors import Conflict, Invalid
from webapp.features import ladder, services
from webapp.features.models import Edit, FeatureClass, FeatureLayer
from webapp.features.numbering import advance, box_around, lock
from webapp.features.schema import ClassSpec, check_shape_of_class
from webapp.projects.models import User


@dataclass(frozen=True)
class Part:
    """Which features of a class a split takes away: one condition.

    Attributes:
        field: a property of the features; "": the area decides.
        values: texts of that property.
        smaller_m2: areas under so many square metres.
    """

    field: str = ""
    values: tuple[str, ...] = ()
    smaller_m2: float = 0.0


def merge(*, layer: FeatureLayer, source: int, target: int, user: User | None) -> int:
    """Return how many features went from one class into another; the emptied class is retired.

    Raises:
        Invalid: the classes are one, or the layer has not both, or the target does not take the shape of a feature.
    """
    with transaction.atomic():
        # Locked first: a class that somebody adds meanwhile would be retired by the list read before.
        lock(layer)
        known = _classes(layer)
        if source == target or source not in known or target not in known:
            raise Invalid(
                "These classes cannot be merged.", fix="Choose two classes of the layer.", code="class_unknown"
            )
        if known[target].retired:
            raise Invalid(f'"{known[target].name}" is retired.', fix="Offer it again first.", code="class_retired")
        moved = _move(layer, "class_value = %(source)s", {"source": source}, target=known[target], user=user)
        specs = [
            ClassSpec(item.value, item.name, item.colour, item.retired or item.value == source)
            for item in known.values()
        ]
        services.save_classes(layer=layer, classes=specs, user=user)
    return moved


def split(*, layer: FeatureLayer, source: int, new: ClassSpec, part: Part, user: User | None) -> int:
    """Return how many features of a class became of a new one.

    Raises:
        Invalid: there is no such class, or no condition.
        Conflict: the new class's value or name is taken, or no feature fits the condition.
        Invalid: the new class does not take the shape of a feature.
    """
    where, values = _condition(part)
    with transaction.atomic():
        lock(layer)
        known = _classes(layer)
        if source not in known:
            raise Invalid(f"The layer has no class {source}.", fix="Choose one that it has.", code="class_unknown")
        if new.value in known:
            raise Conflict(f"The value {new.value} is taken.", fix="Give the new class another.", code="class_exists")
        specs = [ClassSpec(item.value, item.name, item.colour, item.retired) for item in known.values()]
        services.save_classes(layer=layer, classes=[*specs, new], user=user)
        values["source"] = source
        made = _classes(layer)[new.value]
        moved = _move(layer, f"class_value = %(source)s AND {where}", values, target=made, user=user)
        if not moved:
            raise Conflict("No feature of the class fits.", fix="Choose another part of it.", code="nothing_to_split")
    return moved


def _classes(layer: FeatureLayer) -> dict[int, FeatureClass]:
    return {item.value: item for item in FeatureClass.objects.filter(layer=layer).order_by("position", "value")}


def _condition(part: Part) -> tuple[str, dict[str, Any]]:
    if part.field and part.values:
        return "properties ->> %(field)s = ANY(%(texts)s)", {"field": part.field, "texts": list(part.values)}
    if part.smaller_m2 > 0:
        return "area_m2 < %(smaller)s", {"smaller": part.smaller_m2}
    raise Invalid("Nothing says what to split off.", fix="Give a field with values, or an area.", code="condition")


def _move(layer: FeatureLayer, where: str, values: dict[str, Any], *, target: FeatureClass, user: User | None) -> int:
    """Return how many features got another class; a change of class verifies nothing and loses no colleague's edit.

    Raises:
        Invalid: the class does not take the shape of one of them.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        locked = lock(layer)
        cursor.execute(
            f"""CREATE TEMPORARY TABLE reclassed ON COMMIT DROP AS SELECT id, version FROM features_feature
            WHERE layer_id = %(layer)s AND NOT deleted AND {where}""",
            {"layer": layer.pk, **values},
        )
        cursor.execute(
            # Reading every outline would take seconds: what has an area is known to be one.
            """SELECT CASE WHEN area_m2 > 0 THEN 2 ELSE ST_Dimension(geometry) END, count(*)
            FROM features_feature JOIN reclassed USING (id) GROUP BY 1"""
        )
        counts: dict[int, int] = dict(cursor.fetchall())
        for dimension in counts:
            check_shape_of_class(dimension, target.name, target.shapes)
        count = sum(counts.values())
        if count:
            chosen = "id IN (SELECT id FROM reclassed)"
            ladder.leave(locked, chosen)
            first = advance(locked, count, count_change=0, boxes=[box_around(cursor, _CHOSEN)])
            cursor.execute(_UPDATE, [target.value, None if user is None else user.pk])
            cursor.execute(_LOG, [first])
            ladder.enter(locked, chosen, count=locked.feature_count)
            layer.seq = locked.seq
        cursor.execute("DROP TABLE reclassed")
    return count


_CHOSEN = "features_feature JOIN reclassed USING (id)"

_UPDATE = """UPDATE features_feature f SET class_value = %s, version = f.version + 1, updated_by_id = %s,
    updated_at = clock_timestamp() FROM reclassed r WHERE f.id = r.id"""

_LOG = f"""INSERT INTO features_edit (layer_id, seq, op_id, feature_id, action, base_version, version, geometry,
        class_value, score, properties, source, verified, digest, actor_id, at)
    SELECT f.layer_id, %s + row_number() OVER (ORDER BY f.fid) - 1, gen_random_uuid(), f.id,
        '{Edit.Action.UPDATE}', r.version, f.version, f.geometry, f.class_value, f.score, f.properties, f.source,
        f.verified, '', f.updated_by_id, f.updated_at FROM reclassed r JOIN features_feature f ON f.id = r.id"""
