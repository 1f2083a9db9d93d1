"""Review of samples: decisions ride on edits, the stream shows what is left, the figures add up."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.gis.geos import Polygon

from labeling import review_selectors, review_services, task_edits
from labeling.models import Verdict
from labeling.review_selectors import Wanted
from labeling.task_edits import parse_leased
from tests.factories import client_for
from tests.labeling.tasks import Team, make_team
from webapp.features import services as features
from webapp.features.models import Edit, Feature
from webapp.features.services import NewFeature
from webapp.projects.models import User

SCORES = (0.9, 0.8, 0.55, 0.3)


@pytest.fixture
def team(db: None) -> Team:
    return make_team(tasks_m=0)


@pytest.fixture
def suggested(team: Team) -> list[Feature]:
    """Four suggestions of a model, the best first."""
    boxes = [Polygon.from_bbox((85.52 + i * 1e-3, 27.63, 85.5205 + i * 1e-3, 27.6305)) for i in range(len(SCORES))]
    new = [
        NewFeature(box, class_value=1 + i % 2, score=score, source=Feature.Source.MODEL)
        for i, (box, score) in enumerate(zip(boxes, SCORES, strict=True))
    ]
    features.add_features(layer=team.label_set.layer, features=new)
    return list(Feature.objects.filter(layer=team.label_set.layer).order_by("fid"))


def decide(team: Team, user: User, kind: str, feature: Feature | UUID, **values: Any) -> dict[str, Any]:
    row = Feature.objects.get(pk=feature.pk if isinstance(feature, Feature) else feature)
    edit = {
        "op_id": str(uuid4()),
        "id": str(row.pk),
        "action": "delete" if kind == "reject" else "update",
        "base_version": row.version,
        "review": kind,
        **values,
    }
    [answer] = task_edits.apply_leased(layer=team.label_set.layer, edits=parse_leased({"edits": [edit]}), user=user)
    return answer


def draw(team: Team, user: User) -> UUID:
    pk = uuid4()
    ring = [[85.53, 27.63], [85.531, 27.63], [85.531, 27.631], [85.53, 27.63]]
    edit = {"op_id": str(uuid4()), "id": str(pk), "action": "create", "class_value": 2}
    body = {"edits": [{**edit, "geometry": {"type": "Polygon", "coordinates": [ring]}}]}
    task_edits.apply_leased(layer=team.label_set.layer, edits=parse_leased(body), user=user)
    return pk


def ids(team: Team, wanted: Wanted, me: User, **more: int) -> list[str]:
    told = review_selectors.stream(team.label_set, wanted, me=me.pk, **more)
    return [text.split('"id" : "')[1][:36] for text in told.features]


def test_suggestions_come_by_score_and_leave_the_stream_when_decided(team: Team, suggested: list[Feature]) -> None:
    best, good, fair, poor = (str(row.pk) for row in suggested)
    assert ids(team, Wanted(), team.ben) == [best, good, fair, poor]
    assert ids(team, Wanted(order="low"), team.ben) == [poor, fair, good, best]
    assert ids(team, Wanted(class_value=2), team.ben) == [good, poor]
    page = review_selectors.stream(team.label_set, Wanted(), me=team.ben.pk, limit=3)
    assert (page.count, len(page.features)) == (4, 3)
    assert page.cursor is not None
    rank, _, fid = page.cursor.partition(",")
    assert ids(team, Wanted(after=(float(rank), int(fid))), team.ben) == [poor]
    assert decide(team, team.ben, "accept", suggested[0], verified=True)["status"] == "ok"
    assert decide(team, team.ben, "fix", suggested[1], class_value=1)["status"] == "ok"
    assert decide(team, team.ben, "reject", suggested[3])["status"] == "ok"
    assert ids(team, Wanted(), team.ben) == [fair]
    accepted = Feature.objects.get(pk=best)
    assert (accepted.verified, accepted.source, accepted.version) == (True, "model", 2)
    found = review_selectors.figures(team.label_set)
    assert [(row["source"], row["class_value"], row["accepted"], row["fixed"], row["rejected"]) for row in found] == [
        ("model", 1, 1, 0, 0),
        ("model", 2, 0, 1, 1),
    ]


def test_what_people_draw_is_for_reviewers_and_never_for_oneself(team: Team) -> None:
    drawn = draw(team, team.ben)
    wanted = Wanted(what="drawn", order="place")  # as the page asks
    assert ids(team, wanted, team.ben) == []
    assert ids(team, wanted, team.rita) == [str(drawn)]
    assert decide(team, team.cleo, "accept", drawn)["error"]["code"] == "denied"
    assert decide(team, team.rita, "accept", drawn)["status"] == "ok"
    assert ids(team, wanted, team.rita) == []
    # A new version is not reviewed; one's own decision on one's own work does not count.
    decide(team, team.ben, "fix", drawn, class_value=1, review=None)
    assert ids(team, wanted, team.rita) == [str(drawn)]
    mine = draw(team, team.rita)
    decide(team, team.rita, "accept", mine)
    assert Verdict.objects.filter(feature_id=mine).count() == 0
    [row] = review_selectors.figures(team.label_set)
    assert (row["person"]["name"], row["class_value"], row["accepted"]) == ("ben", 2, 1)


def test_a_decision_that_is_sent_twice_counts_once_and_a_stale_one_not_at_all(
    team: Team, suggested: list[Feature]
) -> None:
    op_id = str(uuid4())
    first = {"op_id": op_id, "base_version": 1, "verified": True}
    assert decide(team, team.ben, "accept", suggested[0], **first)["status"] == "ok"
    assert decide(team, team.ben, "accept", suggested[0], **first)["status"] == "ok"
    assert decide(team, team.cleo, "reject", suggested[0], base_version=1)["status"] == "conflict"
    assert Verdict.objects.count() == 1
    assert decide(team, team.ben, "maybe", suggested[1])["error"]["code"] == "review"
    assert decide(team, team.ben, "accept", suggested[1], action="delete")["error"]["code"] == "review"


def test_all_above_a_score_are_accepted_in_one_step_of_the_log(team: Team, suggested: list[Feature]) -> None:
    url = f"/api/label-sets/{team.label_set.pk}/review/accept"
    rita = client_for(team.rita)
    assert rita.get(url, {"score": "0.5"}).json() == {"count": 3}
    assert rita.get(url, {"score": "0.5", "class": "2"}).json() == {"count": 1}
    assert client_for(team.ben).post(url, {"score": 0.5}, content_type="application/json").status_code == 403
    assert rita.post(url, {"score": 2}, content_type="application/json").json()["code"] == "score"
    assert rita.post(url, {"score": 0.5}, content_type="application/json").json() == {"count": 3}
    assert Feature.objects.filter(verified=True, version=2, source="model").count() == 3
    log = Edit.objects.filter(layer=team.label_set.layer).order_by("seq")
    assert [row.seq for row in log] == list(range(1, 8))
    assert [row.base_version for row in log[4:]] == [1, 1, 1]
    assert Verdict.objects.filter(kind="accept", reviewer=team.rita).count() == 3
    assert review_services.accept_above(label_set=team.label_set, score=0.5, class_value=None, user=team.rita) == 0


def test_the_routes_answer(team: Team, suggested: list[Feature]) -> None:
    base = f"/api/label-sets/{team.label_set.pk}/review/"
    ben = client_for(team.ben)
    found = ben.get(base + "stream", {"order": "low"}).json()
    assert (found["count"], found["next"], found["features"][0]["meta"]["score"]) == (4, None, 0.3)
    for query in ({"what": "all"}, {"after": "x"}, {"after": "nan,1"}, {"class": "-1"}):
        assert ben.get(base + "stream", query).status_code == 400
    assert ben.get(base + "figures").json() == {"results": []}
