"""The database role behind tiles and OGC: it reads features, and nothing else."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from django.db import connection
from psycopg2 import errors
from psycopg2.extensions import connection as Connection

from tests.factories import make_layer, make_project
from webapp.features import mvt
from webapp.features.models import Feature, FeatureLayer
from webapp.ogc import selectors
from webapp.setup import cluster, vault

pytestmark = pytest.mark.django_db(transaction=True)

ROLE = "quadrat_read"
SQUARE = "POLYGON((85.51 27.62, 85.52 27.62, 85.52 27.63, 85.51 27.63, 85.51 27.62))"


@pytest.fixture
def reader() -> Iterator[Connection]:
    """A connection to the test database as the private cluster's role for readers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
        if cursor.fetchone() is None:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            if cursor.fetchone() != (True,):
                pytest.skip(f"the cluster has no role {ROLE}, and the tests may not make it")
            cursor.execute(f"CREATE ROLE {ROLE} LOGIN")
        cursor.execute(cluster.reader_grants(ROLE))
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("host", "port", "dbname") if name in parameters}
    password = vault.load().get("QUADRAT_DATABASE_READ_PASSWORD")
    opened = psycopg2.connect(**wanted, user=ROLE, password=password)
    opened.autocommit = True
    yield opened
    opened.close()


@pytest.fixture
def layer() -> FeatureLayer:
    made = make_layer(make_project())
    Feature.objects.create(layer=made, fid=1, geometry=SQUARE, class_value=1)
    return made


def test_it_may_read_five_tables_and_change_none(reader: Connection) -> None:
    with reader.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND relname NOT LIKE 'spatial%%' AND has_table_privilege(oid, 'SELECT') ORDER BY 1"
        )
        assert tuple(name for (name,) in cursor.fetchall()) == cluster.READ_TABLES
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"
        )
        assert cursor.fetchall() == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM projects_user",
        "SELECT * FROM projects_apitoken",
        "SELECT * FROM django_session",
        "SELECT * FROM projects_auditentry",
        "UPDATE features_feature SET deleted = true",
        "DELETE FROM features_featurelayer",
        "SELECT * FROM features_feature FOR UPDATE",
    ],
)
def test_it_is_refused_whatever_a_query_smuggles_in(reader: Connection, sql: str) -> None:
    with reader.cursor() as cursor, pytest.raises(errors.InsufficientPrivilege):
        cursor.execute(sql)


def test_tiles_and_ogc_need_no_more(reader: Connection, layer: FeatureLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        with reader.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()

    monkeypatch.setattr(selectors, "_read", read)
    asked = selectors.Query(bbox=(85.5, 27.6, 85.6, 27.7))
    assert len(selectors.page(layer, asked).bodies) == 1
    feature = Feature.objects.get(layer=layer)
    assert str(feature.pk) in selectors.item(layer, feature.pk).body
    with pytest.raises(selectors.NotFound):
        selectors.item(layer, uuid4())
    tiles = mvt.TileReader()
    tiles.connection = reader
    assert tiles.seq(layer.pk) == layer.seq
    assert tiles.tile(layer.pk, 0, 0, 0).shown == 1
