"""Vector tiles of feature layers, made by PostGIS."""

import math
import threading
from dataclasses import dataclass
from uuid import UUID

import psycopg2
from django.conf import settings
from django.db import connections

from webapp.errors import NotFound, Unavailable

# More than a browser decodes within a frame.
MAX_FEATURES = 5_000
MAX_BYTES = 500_000
EXTENT = 4096
# Units of the tile drawn beyond its edge, so that outlines do not show there.
BUFFER = 64
MAX_ZOOM = 26
WORLD_M = 2 * math.pi * 6_378_137


@dataclass(frozen=True)
class VectorTile:
    """One tile as it is now.

    Attributes:
        seq: number of the layer's log that it shows.
        shown: features in it.
        truncated: there are more than fit; the largest are shown.
        body: Mapbox vector tile, layer "features"; b"" where nothing lies.
    """

    seq: int
    shown: int
    truncated: bool
    body: bytes


# The envelope is transformed, never the column: the index is on lon/lat. Where more lie in the tile than fit, the
# largest are kept. A polygon smaller than a pixel becomes that pixel, so that it does not vanish unsaid.
_SQL = """
WITH picked AS MATERIALIZED (
    SELECT fid, id, class_value, score, verified, area_m2, geometry_3857 AS g FROM features_feature
    WHERE layer_id = %(layer)s AND NOT deleted
        AND geometry && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
    ORDER BY area_m2 DESC, fid LIMIT %(limit)s + 1),
shaped AS MATERIALIZED (  -- else the clipping is done twice, for the condition and for the tile
    SELECT fid AS mvt_id, fid, id::text AS id, class_value, score, verified, area_m2,
        CASE WHEN (SELECT count(*) FROM picked) > %(limit)s THEN true END AS truncated,
        ST_AsMVTGeom(
            CASE WHEN ST_Dimension(g) = 2 AND area_m2 < %(pixel_area)s THEN ST_Expand(ST_Centroid(g), %(pixel)s / 2)
                WHEN ST_NPoints(g) > 12 THEN ST_Simplify(g, %(pixel)s / 4, true) ELSE g END,
            ST_TileEnvelope(%(z)s, %(x)s, %(y)s), %(extent)s, %(buffer)s, true) AS geom
    FROM (SELECT * FROM picked ORDER BY area_m2 DESC, fid LIMIT %(limit)s) p)
SELECT l.seq, t.shown, (SELECT count(*) FROM picked) > %(limit)s, t.body
FROM features_featurelayer l, LATERAL (
    SELECT count(*) AS shown, ST_AsMVT(q, 'features', %(extent)s, 'geom', 'mvt_id') AS body
    FROM (SELECT mvt_id, fid, id, class_value, score, verified, truncated, geom FROM shaped WHERE geom IS NOT NULL
          ORDER BY area_m2 DESC, fid) q) t
WHERE l.id = %(layer)s"""


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

    def tile(self, layer: UUID, z: int, x: int, y: int) -> VectorTile:
        """Return one tile of at most 5,000 features and 500 kB.

        Raises:
            NotFound: there is no such layer.
            Unavailable: it took longer than a read-only statement may, or the database is away.
        """
        limit = MAX_FEATURES
        while True:
            found = self._tile(layer, z, x, y, limit)
            if len(found.body) <= MAX_BYTES or limit <= 1:
                return found
            limit = max(1, int(min(limit, found.shown) * 0.9 * MAX_BYTES / len(found.body)))

    def _tile(self, layer: UUID, z: int, x: int, y: int, limit: int) -> VectorTile:
        west, south, east, north = bounds(z, x, y)
        pixel_m = WORLD_M / 2**z / 256
        ground_m = pixel_m * math.cos(math.radians((south + north) / 2))
        rows = self._query(
            _SQL,
            {
                "layer": str(layer),
                "west": max(-180.0, west),
                "south": south,
                "east": min(180.0, east),
                "north": north,
                "limit": limit,
                "pixel": pixel_m,
                "pixel_area": ground_m**2,
                "z": z,
                "x": x,
                "y": y,
                "extent": EXTENT,
                "buffer": BUFFER,
            },
        )
        if not rows:
            raise NotFound()
        seq, shown, truncated, body = rows[0]
        return VectorTile(seq, shown, truncated and shown > 0, bytes(body) if shown else b"")

    def _query(self, sql: str, values: dict[str, object]) -> list[tuple[int, int, bool, memoryview]]:
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


def bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """Return (west, south, east, north) in degrees of a tile with its buffer."""
    margin = BUFFER / EXTENT
    west, east = ((x + d) / 2**z * 360 - 180 for d in (-margin, 1 + margin))
    north, south = (
        math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * (y + d) / 2**z)))) for d in (-margin, 1 + margin)
    )
    return west, south, east, north
