"""Invariants of the database alone: the log, what is made of it, tasks, jobs, files."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from labeling.models import LabelSet
from webapp.features import ladder, tile_numbers
from webapp.features.models import FeatureLayer
from webapp.housekeeping import collector
from webapp.jobs.models import Job
from webapp.jobs.services import FINAL

# A zoom that is noted, one between two, and one above them all.
TILE_ZOOMS = (17, 15, 6)


@dataclass(frozen=True)
class Finding:
    """One breach of an invariant of `check.INVARIANTS`."""

    invariant: str
    text: str


def of_layer(layer: FeatureLayer) -> Iterator[Finding]:
    """Yield the breaches of one layer."""
    names = {"layer": layer.pk}
    for seq, rows, first, last in _all(_NUMBERS, names):
        if (rows, first, last) != (seq, min(1, seq), seq):
            yield Finding("gap", f"{rows} rows from {first} to {last}; the layer says {seq}")
    for feature, number, version, before, base in _all(_VERSIONS, names):
        yield Finding("version", f"{feature} at {number}: version {version} of base {base} after {before}")
    for (feature,) in _all(_REPLAY, names):
        yield Finding("replay", f"feature {feature} is not what its history says")
    for held, living, next_fid, last_fid in _all(_COUNTS, names):
        if held != living or last_fid >= next_fid:
            yield Finding("count", f"{held} counted, {living} there; next fid {next_fid}, last {last_fid}")
    yield from _cells(layer)
    yield from _tiles(layer)


def of_tasks(layer: FeatureLayer) -> Iterator[Finding]:
    """Yield the breaches of the tasks of the label sets on a layer."""
    for label_set in LabelSet.objects.filter(layer=layer):
        names = {"set": label_set.pk}
        for seq, rows, last in _all(_TASK_NUMBERS, names):
            if (rows, last) != (seq, seq):
                yield Finding("tasks", f"{rows} events up to {last}; the label set says {seq}")
        for number, state, said, seq, last in _all(_TASK_STATES, names):
            if (state, seq) != (said, last):
                yield Finding("tasks", f"task {number} is {state} at {seq}; its last event says {said} at {last}")
        for number, token, before in _all(_TOKENS, names):
            yield Finding("lease", f"task {number}: a lease got token {token} after {before}")
        for number, token, last in _all(_LAST_TOKEN, names):
            yield Finding("lease", f"task {number} has token {token}; its last event has {last}")
        for person, count in _all(_TWO_LEASES, names):
            yield Finding("lease", f"user {person} holds {count} tasks at once")


def of_jobs() -> Iterator[Finding]:
    """Yield the breaches of the site's jobs, after all of them should have ended."""
    for job in Job.objects.order_by("created_at"):
        if job.state not in FINAL:
            yield Finding("job", f"{job.kind} {job.pk} is {job.state} still")
        if job.attempt - job.interruptions > job.max_attempts:
            yield Finding("job", f"{job.kind} {job.pk} had {job.attempt} attempts")
        numbers = list(job.events.order_by("seq").values_list("seq", flat=True))
        if numbers != list(range(1, len(numbers) + 1)) or job.seq < len(numbers):
            yield Finding("job", f"{job.kind} {job.pk}: its log has gaps: {numbers}")
    imports = Job.objects.filter(kind="import_features", state__in=FINAL)
    for layer in FeatureLayer.objects.all():
        done = [job.result.get("added", 0) for job in imports.filter(spec__layer=str(layer.pk))]
        [(written,)] = _all(
            "SELECT count(*) FROM features_edit WHERE layer_id = %(layer)s AND digest = ''", {"layer": layer.pk}
        )
        if written != sum(done):
            yield Finding("import", f"jobs say that they stored {done} features; {written} were written by jobs")


def of_files() -> Iterator[Finding]:
    """Yield the files that no row names; nothing may be at work."""
    later = timezone.now() + timedelta(hours=settings.COLLECT_GRACE_H + 1)
    for found in collector.collect(dry_run=True, now=later).removed:
        yield Finding("file", f"{found.store}: {found.name} ({found.bytes:,} bytes)")


def _all(sql: str, names: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, names)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


_NUMBERS = """SELECT l.seq, count(e.seq), coalesce(min(e.seq), 0), coalesce(max(e.seq), 0)
    FROM features_featurelayer l LEFT JOIN features_edit e ON e.layer_id = l.id WHERE l.id = %(layer)s GROUP BY l.seq"""

_VERSIONS = """SELECT feature_id, seq, version, before, base_version FROM (
        SELECT *, coalesce(lag(version) OVER (PARTITION BY feature_id ORDER BY seq), 0) AS before
        FROM features_edit WHERE layer_id = %(layer)s) e
    WHERE version <> before + 1 OR base_version <> before ORDER BY seq"""

_REPLAY = """WITH last AS (SELECT DISTINCT ON (feature_id) * FROM features_edit WHERE layer_id = %(layer)s
        ORDER BY feature_id, seq DESC)
    SELECT coalesce(f.id, e.feature_id) FROM (SELECT * FROM features_feature WHERE layer_id = %(layer)s) f
        FULL JOIN last e ON e.feature_id = f.id
    WHERE f.id IS NULL OR e.feature_id IS NULL OR f.version <> e.version OR f.deleted <> (e.action = 'delete')
        OR (NOT f.deleted AND (f.geometry::bytea, f.class_value, f.score, f.properties, f.source, f.verified)
            IS DISTINCT FROM (e.geometry::bytea, e.class_value, e.score, e.properties, e.source, e.verified))"""

_COUNTS = """SELECT l.feature_count, count(f.id) FILTER (WHERE NOT f.deleted), l.next_fid, coalesce(max(f.fid), 0)
    FROM features_featurelayer l LEFT JOIN features_feature f ON f.layer_id = l.id
    WHERE l.id = %(layer)s GROUP BY l.id"""

_CELLS = """SELECT z, x, y, cell, class_value, count, scored, round(score_sum::numeric, 6) FROM features_cell
    WHERE layer_id = %(layer)s AND count <> 0"""

# The ground of every edit as it was before and after it: boxes with the edit's number.
_GROUND = """SELECT seq, ST_XMin(g), ST_YMin(g), ST_XMax(g), ST_YMax(g) FROM (
        SELECT seq, unnest(ARRAY[geometry, lag(geometry) OVER (PARTITION BY feature_id ORDER BY seq)]) AS g
        FROM features_edit WHERE layer_id = %(layer)s) e WHERE g IS NOT NULL"""

_WRITTEN_BY_JOBS = "SELECT count(*) FROM features_edit WHERE layer_id = %(layer)s AND digest = ''"

_TASK_NUMBERS = """SELECT s.task_seq, count(e.seq), coalesce(max(e.seq), 0) FROM labeling_labelset s
    LEFT JOIN labeling_taskevent e ON e.label_set_id = s.id WHERE s.id = %(set)s GROUP BY s.task_seq"""

_TASK_STATES = """SELECT t.number, CASE WHEN t.split THEN 'split' ELSE t.state END, e.to_state, t.seq, e.seq
    FROM labeling_task t JOIN LATERAL (
        SELECT * FROM labeling_taskevent WHERE task_id = t.id ORDER BY seq DESC LIMIT 1) e ON true
    WHERE t.label_set_id = %(set)s"""

_TOKENS = """SELECT t.number, e.token, e.before FROM (
        SELECT *, lag(token) OVER (PARTITION BY task_id ORDER BY seq) AS before FROM labeling_taskevent
        WHERE label_set_id = %(set)s AND action IN ('claim', 'review')) e JOIN labeling_task t ON t.id = e.task_id
    WHERE e.token <= e.before"""

_LAST_TOKEN = """SELECT t.number, t.token, max(e.token) FROM labeling_task t
    JOIN labeling_taskevent e ON e.task_id = t.id
    WHERE t.label_set_id = %(set)s GROUP BY t.id HAVING t.token <> max(e.token)"""

_TWO_LEASES = """SELECT holder_id, count(*) FROM labeling_task WHERE label_set_id = %(set)s AND holder_id IS NOT NULL
    AND lease_until > clock_timestamp() AND NOT split GROUP BY holder_id HAVING count(*) > 1"""


def _cells(layer: FeatureLayer) -> Iterable[Finding]:
    """Compare the stored cells with cells made anew of all features, in a transaction that is rolled back."""
    layer.refresh_from_db()
    if not layer.ladder:
        return
    with transaction.atomic():
        kept = set(_all(_CELLS, {"layer": layer.pk}))
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM features_cell WHERE layer_id = %s", [layer.pk])
        ladder.enter(layer, "true", count=layer.feature_count)
        fresh = set(_all(_CELLS, {"layer": layer.pk}))
        transaction.set_rollback(True)
    for row in sorted(kept ^ fresh)[:5]:
        yield Finding("cells", f"{'stored' if row in kept else 'counted'} only: z, x, y, cell, class, count … = {row}")


def _tiles(layer: FeatureLayer) -> Iterable[Finding]:
    """Compare each tile's number, read as the tile server reads it, with the last edit of its ground."""
    noted = {
        (z, x, y): (inside, whole)
        for z, x, y, inside, whole in _all(
            "SELECT z, x, y, inside, whole FROM features_tilechange WHERE layer_id = %(layer)s", {"layer": layer.pk}
        )
    }
    last: dict[tuple[int, int, int], int] = {}
    for seq, *box in _all(_GROUND, {"layer": layer.pk}):
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        for z in TILE_ZOOMS:
            [tile] = tile_numbers.span((*middle, *middle), z).tiles()
            last[tile] = max(seq, last.get(tile, 0))
    for tile, seq in last.items():
        inside, around = tile_numbers.looked_at(*tile)
        numbers = [max(noted.get(key, (0, 0))) for key in inside.tiles()]
        numbers += [noted.get(key, (0, 0))[1] for span in around for key in span.tiles()]
        if not seq <= max(numbers) <= layer.seq:
            yield Finding("tiles", f"tile {tile} has number {max(numbers)}; its ground changed at {seq}")
