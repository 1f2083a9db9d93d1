"""What a test committed is gone after it, and what the migrations made is still there."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from tests.emptying import KEPT, empty
from tests.factories import client_for, make_imagery, make_layer, make_project, make_user
from webapp.projects.models import AuditEntry, Project


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
