"""`/api/content/`: one list over all rooms, searched, filtered and paged."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from labeling.models import LabelSet
from tests.factories import client_for, make_imagery, make_layer, make_project, make_user
from training.models import TrainingData
from webapp.content import KINDS
from webapp.imagery.models import ImageryLayer
from webapp.maps import services
from webapp.maps.models import Map
from webapp.projects.models import Project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    ana = make_user("ana")
    project = make_project(ana, viewer=make_user("eve"))
    scene = make_imagery(project, name="Drone mosaic", created_by=ana)
    labels = LabelSet.objects.create(project=project, name="Roofs", imagery=scene, layer=make_layer(project))
    TrainingData.objects.create(
        project=project,
        name="Roof chips",
        label_set=labels,
        layer_seq=0,
        imagery_version=1,
        metadata_format="Classified_Tiles",
    )
    services.create_map(project=project, name="Town by roof", user=ana, layers=[scene])
    return project


def names(client: Client, query: str = "") -> list[str]:
    return [row["name"] for row in client.get(f"/api/content/{query}").json()["results"]]


def test_a_member_sees_all_kinds_newest_first_and_a_stranger_nothing(project: Project) -> None:
    assert names(client_for(make_user("eve"))) == ["Town by roof", "Roof chips", "Roofs", "Drone mosaic"]
    assert names(client_for(make_user("zoe"))) == []
    assert client_for(None).get("/api/content/").status_code == 401


def test_a_row_says_what_whose_and_where_it_is(project: Project) -> None:
    row = client_for(make_user("eve")).get("/api/content/?kind=imagery").json()["results"][0]
    scene = ImageryLayer.objects.get()
    assert row["project"] == {"id": str(project.pk), "name": project.name}
    assert (row["kind"], row["owner"], row["url"]) == ("imagery", "ana", f"/imagery/{scene.pk}/")
    assert row["detail"] == "512 × 512 px, 0.6 m"


def test_every_word_of_a_search_must_be_in_the_name_or_the_projects(project: Project) -> None:
    client = client_for(make_user("eve"))
    assert names(client, "?q=roof") == ["Town by roof", "Roof chips", "Roofs"]
    assert names(client, "?q=roof+TOWN") == ["Town by roof"]
    assert names(client, f"?q={project.name.replace(' ', '+')}&kind=map") == ["Town by roof"]
    assert names(client, "?q=100%25") == []


def test_the_list_is_narrowed_by_kind_and_project(project: Project) -> None:
    other = make_project(make_user("ana"))
    make_imagery(other, name="Elsewhere")
    client = client_for(make_user("ana"))
    assert names(client, f"?project={other.pk}") == ["Elsewhere"]
    assert names(client, "?kind=label_set") == ["Roofs"]
    assert client.get("/api/content/?kind=car").status_code == 400
    assert client.get("/api/content/?project=x").status_code == 400
    assert client.get("/api/content/?limit=0").status_code == 400
    assert client.get("/api/content/?after=yesterday").status_code == 400


def test_pages_hold_every_row_once_even_where_times_are_equal(project: Project) -> None:
    for number in range(7):
        services.create_map(project=project, name=f"Map {number}", user=None)
    Map.objects.update(updated_at=timezone.now() - timedelta(days=1))
    client, url, seen = client_for(make_user("eve")), "/api/content/?limit=3", []
    while url:
        page = client.get(url).json()
        assert len(page["results"]) <= 3
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) == 11


def test_each_kind_costs_one_query(project: Project, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client = client_for(make_user("eve"))
    with django_assert_max_num_queries(len(KINDS) + 2):  # and the session with its user
        client.get("/api/content/")
