"""Many features at once: imports and model output, written by COPY, each with its row in the log."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from uuid import UUID, uuid4

import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.db import connection, transaction
from django.utils import timezone
from shapely.geometry.base import BaseGeometry

from webapp import points
from webapp.errors import Invalid, QuadratError
from webapp.features import guarding, ladder
from webapp.features.geometry import SRID, check_shape, to_shape
from webapp.features.models import Edit, Feature, FeatureClass, FeatureLayer
from webapp.features.numbering import advance, box_around, lock, reserve
from webapp.projects.models import User

Source = Feature.Source
LeaveOut = Callable[[Mapping[UUID, QuadratError]], None]
# Rows on their way in stay in memory up to this size, then go to a temporary file.
SPOOL_BYTES = 8 << 20


@dataclass(frozen=True)
class NewFeature:
    """One feature to add; geometry in EPSG:4326, two-dimensional and valid.

    Attributes:
        id: None: a new one.
        verified: None: only what people drew is verified.
        checked: the geometry is what `check_shape` returned, and need not be looked at again.
    """

    geometry: BaseGeometry | GEOSGeometry
    class_value: int | None = None
    score: float | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    source: str = Source.MODEL
    verified: bool | None = None
    id: UUID | None = None
    checked: bool = False


def add_features(
    *, layer: FeatureLayer, features: Iterable[NewFeature], block: int | None = None, user: User | None = None
) -> int:
    """Return how many features were added, all in one transaction, each with a number of its own in the log.

    The features stream through: memory does not grow with their number. A job calls this inside its guard.

    Args:
        block: the inference block that they come from.

    Raises:
        Invalid: a geometry is not valid, or a class is not in the schema.
    """
    known = set(FeatureClass.objects.filter(layer=layer).values_list("value", flat=True))
    return add_lines(layer=layer, lines=(copy_line(item, known) for item in features), block=block, user=user)


def add_lines(
    *,
    layer: FeatureLayer,
    lines: Iterable[str],
    block: int | None = None,
    user: User | None = None,
    leave_out: LeaveOut | None = None,
    first_fid: int | None = None,
) -> int:
    """Return how many features were added from lines made by `copy_line`, as `add_features` does.

    The features, their indices and cells are written before the layer is locked: nobody sees them, and others go on
    editing. Under the lock they get their rows in the log, and with the commit all of it is there.

    Args:
        layer: where to.
        lines: one per feature.
        block: the inference block that they come from.
        user: who adds them.
        leave_out: is told what a guard of the layer refuses, by id; the rest is added. None: all are added, or none.
        first_fid: of as many integer ids as there are lines, which `numbering.reserve` gave out in a transaction of its
            own. None: they are taken in this one, and the layer is locked from then on.

    Raises:
        QuadratError: a guard refuses one, and nobody wants to be told.
    """
    with SpooledTemporaryFile(max_size=SPOOL_BYTES) as kept, transaction.atomic(), connection.cursor() as cursor:
        count = _stage(kept, lines)
        if not count:
            return 0
        cursor.execute(_STAGING)
        cursor.cursor.copy_expert(f"COPY staged_features ({_COLUMNS}) FROM STDIN", kept)
        # Asked before the lock: among hundreds of cells that takes seconds, in which others edit the layer.
        state = guarding.state(layer)
        count -= len(_left_out(layer, cursor, leave_out))
        if count:
            first_fid = reserve(layer, count) if first_fid is None else first_fid
            # Not by a join with the staged ones: asked for the others, it looks at each of these for each of those.
            placed = f"fid BETWEEN {first_fid} AND {first_fid + count - 1}"
            _place(layer, cursor, first_fid, block=block, user=user)
            ladder.gather(layer, placed)
            points.reach("job.placed")
            # Only now: others may edit the layer while the features stream in.
            locked = lock(layer)
            if guarding.state(locked) != state and (left := _left_out(locked, cursor, leave_out)):
                cursor.execute("DELETE FROM features_feature WHERE id = ANY(%s::uuid[])", [left])
                ladder.gather(locked, placed)
                count -= len(left)
            if count:
                _number(locked, cursor, count, user=user)
            ladder.enter_gathered(locked, placed, count=locked.feature_count + count)
            layer.seq, layer.ladder = locked.seq, locked.ladder
        cursor.execute("DROP TABLE staged_features")
    return count


def copy_line(feature: NewFeature, known: set[int]) -> str:
    """Return one line of PostgreSQL's COPY text format for a feature.

    Args:
        known: class values of the layer.

    Raises:
        Invalid: the geometry is not valid, or the class is not known.
    """
    if feature.class_value is not None and feature.class_value not in known:
        raise Invalid(f"The layer has no class {feature.class_value}.", fix="Add it first.", code="class_unknown")
    geometry = to_shape(feature.geometry)
    if not feature.checked:
        verdict = check_shape(geometry)
        if verdict.geometry is None:
            raise Invalid(verdict.reason, fix=verdict.fix, code=verdict.code)
        geometry = verdict.geometry
    verified = feature.source == Source.HUMAN if feature.verified is None else feature.verified
    return (
        "\t".join(
            (
                str(feature.id or uuid4()),
                shapely.to_wkb(shapely.set_srid(geometry, SRID), hex=True, include_srid=True),
                "\\N" if feature.class_value is None else str(feature.class_value),
                "\\N" if feature.score is None else repr(float(feature.score)),
                _escaped(json.dumps(feature.properties)),
                feature.source,
                "t" if verified else "f",
            )
        )
        + "\n"
    )


def replace_block(*, layer: FeatureLayer, block: int, features: Iterable[NewFeature], user: User | None = None) -> int:
    """Return how many features were added in place of what the block gave before.

    What a person verified stays as it is: machine output never overwrites it.

    Raises:
        Invalid: as `add_features`.
    """
    with transaction.atomic():
        clear_block(layer=layer, block=block, user=user)
        return add_features(layer=layer, features=features, block=block, user=user)


def clear_block(*, layer: FeatureLayer, block: int | None = None, user: User | None = None) -> int:
    """Return how many unverified model features of one block (None: of all blocks) were deleted."""
    with transaction.atomic(), connection.cursor() as cursor:
        locked = lock(layer)
        wanted = "block IS NOT NULL" if block is None else "block = %s"
        cursor.execute(
            f"""CREATE TEMPORARY TABLE cleared ON COMMIT DROP AS SELECT id, version, geometry FROM features_feature
            WHERE layer_id = %s AND {wanted} AND NOT deleted AND NOT verified""",
            [layer.pk, *([] if block is None else [block])],
        )
        cursor.execute("SELECT count(*) FROM cleared")
        count: int = cursor.fetchone()[0]
        if count:
            ladder.leave(locked, "id IN (SELECT id FROM cleared)")
            first = advance(locked, count, count_change=-count, boxes=[box_around(cursor, "cleared")])
            cursor.execute(_CLEAR, [None if user is None else user.pk])
            cursor.execute(_LOG_CLEARED, [first])
            layer.seq = locked.seq
        cursor.execute("DROP TABLE cleared")
    return count


_COLUMNS = "id, geometry, class_value, score, properties, source, verified"

_STAGING = """CREATE TEMPORARY TABLE staged_features (
    n bigserial, id uuid, geometry geometry(Geometry, 4326), class_value integer, score double precision,
    properties jsonb, source varchar(10), verified boolean) ON COMMIT DROP"""

_NUMBER = """UPDATE staged_features s SET n = m.n
    FROM (SELECT id, row_number() OVER (ORDER BY n) AS n FROM staged_features) m WHERE s.id = m.id"""

_INSERT = """INSERT INTO features_feature (id, layer_id, fid, geometry, class_value, score, properties, version, source,
        verified, deleted, block, created_by_id, updated_by_id, created_at, updated_at)
    SELECT id, %(layer)s, %(fid)s + n - 1, geometry, class_value, score, properties, 1, source, verified, false,
        %(block)s, %(user)s, %(user)s, %(now)s, %(now)s FROM staged_features ORDER BY n"""

# Keys of foreign rows are looked up row by row, which takes half as long as the insert and would wait for the commit.
_CHECK_KEYS = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"

# Others wait for it. Operations of one import lie together in their index: a page is not read and written for each.
_LOG = """INSERT INTO features_edit (layer_id, seq, op_id, feature_id, action, base_version, version, geometry,
        class_value, score, properties, source, verified, digest, actor_id, at)
    SELECT %(layer)s, %(seq)s + n - 1, (%(operations)s || lpad(to_hex(n), 12, '0'))::uuid, id, 'create', 0, 1, geometry,
        class_value, score, properties, source, verified, '', %(user)s, %(now)s FROM staged_features"""

_CLEAR = """UPDATE features_feature f SET deleted = true, version = f.version + 1, updated_by_id = %s,
    updated_at = clock_timestamp() FROM cleared c WHERE f.id = c.id"""

_LOG_CLEARED = f"""INSERT INTO features_edit (layer_id, seq, op_id, feature_id, action, base_version, version, geometry,
        class_value, score, properties, source, verified, digest, actor_id, at)
    SELECT f.layer_id, %s + row_number() OVER (ORDER BY f.fid) - 1, gen_random_uuid(), f.id,
        '{Edit.Action.DELETE}', c.version, f.version, NULL, f.class_value, f.score, f.properties, f.source, f.verified,
        '', f.updated_by_id, f.updated_at FROM cleared c JOIN features_feature f ON f.id = c.id"""


def _stage(kept: IO[bytes], lines: Iterable[str]) -> int:
    # First to a file: the lines may ask the database, which COPY would not let them, and raise errors of their own.
    count = 0
    for line in lines:
        kept.write(line.encode())
        count += 1
    kept.seek(0)
    return count


def _left_out(layer: FeatureLayer, cursor: Any, leave_out: LeaveOut | None) -> list[UUID]:
    """Return which staged features a guard of the layer refuses; they are taken out, and the rest numbered anew."""
    refused = guarding.refused(layer, guarding.Places("staged_features"))
    if not refused:
        return []
    if leave_out is None:
        raise next(iter(refused.values()))
    leave_out(refused)
    cursor.execute("DELETE FROM staged_features WHERE id = ANY(%s::uuid[])", [list(refused)])
    cursor.execute(_NUMBER)
    return list(refused)


def _place(layer: FeatureLayer, cursor: Any, first_fid: int, *, block: int | None, user: User | None) -> None:
    """Write the staged features, which nobody sees."""
    values = {"layer": layer.pk, "fid": first_fid, "block": block, "user": None if user is None else user.pk}
    cursor.execute(_INSERT, {**values, "now": timezone.now()})
    cursor.execute(_CHECK_KEYS)


def _number(locked: FeatureLayer, cursor: Any, count: int, *, user: User | None) -> None:
    """Number the features that were written, in the log and in the layer: others wait meanwhile."""
    first = advance(locked, count, count_change=count, boxes=[box_around(cursor, "staged_features")])
    # Taken under the lock: the times of the log rise with its numbers.
    values = {"layer": locked.pk, "user": None if user is None else user.pk, "now": timezone.now(), "seq": first}
    cursor.execute(_LOG, {**values, "operations": str(uuid4())[:24]})


def _escaped(text: str) -> str:
    # json.dumps leaves no raw tab or newline; COPY takes only the backslash as special.
    return text.replace("\\", "\\\\")
