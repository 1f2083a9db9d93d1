"""Vector tiles of feature layers, made by PostGIS: the features themselves, or cells where they are too many."""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg2
from django.conf import settings
from django.db import connections

from webapp.errors import Invalid, NotFound, Unavailable
from webapp.features import ladder, tile_numbers
from webapp.features.tile_numbers import BUFFER, EXTENT, WORLD_M, bounds
from webapp.features.tile_sql import (
    CELLS,
    CELLS_NOW,
    COUNTED,
    FEATURES,
    MOST_COUNTED,
    STATE,
    THERE,
    field_values,
    noted_sql,
    with_fields,
)

# More than a browser decodes within a frame.
MAX_FEATURES = 5_000
MAX_BYTES = 500_000
MAX_ZOOM = 26


@dataclass(frozen=True)
class TileState:
    """What is known of a tile before it is made.

    Attributes:
        seq: number of the layer's last edit.
        changed: number of the last edit that may have changed this tile.
        laddered: the layer is large and keeps cells.
        outside: nothing of the layer has ever been here.
    """

    seq: int
    changed: int
    laddered: bool = False
    outside: bool = False


@dataclass(frozen=True)
class VectorTile:
    """One tile as it is now.

    Attributes:
        seq: number of the layer's log that it shows.
        changed: number of the last edit that may have changed it, for its tag.
        shown: features in it, or cells.
        truncated: there are more than fit; the largest are shown.
        aggregated: how many features its cells stand for; 0 where it holds the features themselves.
        body: Mapbox vector tile, layer "features"; b"" where nothing lies.
    """

    seq: int
    changed: int
    shown: int
    truncated: bool
    aggregated: int
    body: bytes


class TileReader(threading.local):
    """A read-only connection of this thread, kept open, outside any transaction."""

    connection: "psycopg2.extensions.connection | None" = None

    def seq(self, layer: UUID) -> int:
        """Return the layer's last number.

        Raises:
            NotFound: there is no such layer.
            Unavailable: the database is away.
        """
        rows = self._query("SELECT seq FROM features_featurelayer WHERE id = %(layer)s", {"layer": str(layer)})
        if not rows:
            raise NotFound()
        found: int = rows[0][0]
        return found

    def state(self, layer: UUID, z: int, x: int, y: int) -> TileState:
        """Return what can be said of a tile without making it; a fraction of a millisecond.

        Raises:
            NotFound: there is no such layer.
            Unavailable: the database is away.
        """
        inside, around = tile_numbers.looked_at(z, x, y)
        west, south, east, north = bounds(z, x, y)
        place = {"west": west, "south": south, "east": east, "north": north, "z": z, "x": x, "y": y}
        values = {"layer": str(layer), **place}
        rows = self._query(STATE.format(noted=noted_sql(inside, around)), values)
        if not rows:
            raise NotFound()
        seq, changed, laddered, meets = rows[0]
        return TileState(seq, changed, laddered=laddered, outside=not meets)

    def tile(
        self, layer: UUID, z: int, x: int, y: int, state: TileState | None = None, *, fields: Sequence[str] = ()
    ) -> VectorTile:
        """Return one tile of at most 5,000 features or cells and 500 kB.

        Args:
            state: what `state` said a moment ago; without, it is asked.
            fields: of the layer, or `area_m2`: features have their values as `field:<name>`.

        Raises:
            NotFound: there is no such layer.
            Invalid: the layer has no such field.
            Unavailable: it took longer than a read-only statement may, or the database is away.
        """
        # Asked before the tile is made: an edit in between makes the tile newer than its tag, never older.
        known = state or self.state(layer, z, x, y)
        if known.outside:
            return VectorTile(known.seq, known.changed, 0, truncated=False, aggregated=0, body=b"")
        values = _values(layer, z, x, y)
        sql, limit = self._statement(known, values), MAX_FEATURES
        if fields:
            self._check_fields(layer, fields)
            sql, values = with_fields(sql, fields), {**values, **field_values(fields)}
        while True:
            rows = self._query(sql, {**values, "limit": limit})
            if not rows:
                raise NotFound()
            seq, shown, truncated, body, aggregated = rows[0]
            if len(body) <= MAX_BYTES or limit <= 1:
                break
            limit = max(1, int(min(limit, shown) * 0.9 * MAX_BYTES / len(body)))
        return VectorTile(
            seq,
            known.changed,
            shown,
            truncated=truncated and shown > 0,
            aggregated=aggregated,
            body=bytes(body) if shown else b"",
        )

    def _statement(self, state: TileState, values: dict[str, Any]) -> str:
        """Return the statement that makes a tile: of its features, or of cells where they are too many."""
        if not state.laddered:
            return FEATURES
        if values["z"] <= ladder.DEEPEST:
            return CELLS if self._query(COUNTED, values)[0][0] > MAX_FEATURES else FEATURES
        return CELLS_NOW if MAX_FEATURES < self._query(THERE, values)[0][0] <= MOST_COUNTED else FEATURES

    def _check_fields(self, layer: UUID, fields: Sequence[str]) -> None:
        rows = self._query("SELECT fields FROM features_featurelayer WHERE id = %(layer)s", {"layer": str(layer)})
        known = ["area_m2", *(str(item["name"]) for found in rows for item in found[0])]
        unknown = [field for field in fields if field not in known]
        if unknown:
            raise Invalid(
                f"The layer has no field '{unknown[0][:60]}'.", fix=f"Use {', '.join(known)[:500]}.", code="no_field"
            )

    def _query(self, sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        for fresh in (False, True):
            conn = self._connect(fresh=fresh)
            try:
                with conn.cursor() as cursor:
                    cursor.execute(sql, values)
                    return cursor.fetchall()
            except psycopg2.extensions.QueryCanceledError as error:
                raise Unavailable("The tile took too long.", fix="Zoom in.", details={"retry_after_s": 5}) from error
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                # The connection was cut (a restart of the database): once more on a new one.
                continue
        raise Unavailable("The database is away.", fix="Try again.", details={"retry_after_s": 2})

    def _connect(self, *, fresh: bool) -> "psycopg2.extensions.connection":
        if self.connection is None or self.connection.closed or fresh:
            parameters = connections["reader"].get_connection_params()
            for name in ("cursor_factory", "isolation_level"):
                parameters.pop(name, None)
            try:
                self.connection = psycopg2.connect(**parameters)
            except psycopg2.OperationalError as error:
                raise Unavailable("The database is away.", fix="Try again.", details={"retry_after_s": 2}) from error
            self.connection.autocommit = True
            with self.connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, false), set_config('jit', 'off', false),"
                    " set_config('default_transaction_read_only', 'on', false)",
                    [str(int(settings.READ_TIMEOUT_S * 1000))],
                )
        return self.connection


def _values(layer: UUID, z: int, x: int, y: int) -> dict[str, Any]:
    """Return what the statements name of a tile."""
    west, south, east, north = bounds(z, x, y)
    pixel_m, cell_m = WORLD_M / 2**z / 256, WORLD_M / 2 ** (z + ladder.CELL_BITS)
    # Lengths on the ground, of those on the map: in the tile's middle, and where they are least.
    middle = math.cos(math.radians((south + north) / 2))
    least = min(math.cos(math.radians(lat)) for lat in (south, north))
    return {
        "layer": str(layer),
        "west": max(-180.0, west),
        "south": south,
        "east": min(180.0, east),
        "north": north,
        "pixel": pixel_m,
        "pixel_area": (pixel_m * middle) ** 2,
        "cell_area": cell_m**2,
        # A little less: the ellipsoid is no sphere.
        "least_area": 0.98 * (cell_m * least) ** 2,
        "z": z,
        "x": x,
        "y": y,
        "extent": EXTENT,
        "buffer": BUFFER,
    }
