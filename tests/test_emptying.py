"""What a test committed is gone after it, and what the migrations made is still there."""

import threading

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

from tests import emptying
from tests.emptying import KEPT, empty
from tests.factories import client_for, make_imagery, make_layer, make_project, make_user
from webapp.projects.models import AuditEntry, Project, User


@pytest.mark.django_db(transaction=True)
def test_every_table_is_empty_but_for_what_the_migrations_made() -> None:
    kept = ContentType.objects.count(), Permission.objects.count()
    ana = make_user("ana")
    ana.user_permissions.set(Permission.objects.all()[:2])
    project = make_project(ana, labeler=make_user("ben"))
    Project.objects.create(name="Corner", corner_of=project, only_for=ana)
    make_imagery(project)
    make_layer(project)
    client_for(ana)
    AuditEntry.objects.create(project=project, actor=ana, action="test")
    empty()
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    with connection.cursor() as cursor:
        for table in sorted(tables - KEPT):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            assert cursor.fetchone() == (0,), table
    assert (ContentType.objects.count(), Permission.objects.count()) == kept
    assert min(kept) > 0


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_takes_the_tables_in_another_order_is_waited_for_and_nobody_ends_in_a_deadlock() -> None:
    make_project(make_user("ana"))
    reading = threading.Event()
    seen: list[int] = []

    def read() -> None:
        # The last table first: the emptying holds all before it by then, and waits for this one.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(User._meta.db_table)}")
            reading.set()
            cursor.execute("SELECT pg_sleep(0.1)")
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(Project._meta.db_table)}")
            seen.extend(cursor.fetchone() or ())
        connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    assert reading.wait(10)
    empty()
    reader.join(10)
    assert seen == [1]
    assert not Project.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_never_lets_go_of_a_table_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emptying, "PATIENCE_S", 0.2)
    reading, enough = threading.Event(), threading.Event()

    def read() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT 'held', count(*) FROM {connection.ops.quote_name(Project._meta.db_table)}")
            reading.set()
            enough.wait(10)
        connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    assert reading.wait(10)
    try:
        with pytest.raises(TimeoutError, match=r"idle in transaction\): SELECT 'held'"):
            empty()
    finally:
        enough.set()
        reader.join(10)
