"""What people drew and a model does not see comes into the review, and nothing that the model had no say about."""

import json

from inference.models import Inference
from labeling import review_selectors
from labeling.review_selectors import Wanted
from tests.factories import client_for
from tests.labeling.tasks import Team
from tests.labeling.test_omissions import Box, detected, made_on, polygon, show_east, team
from webapp.features import services as features
from webapp.features.models import Feature, FeatureLayer
from webapp.features.services import NewFeature

__all__ = ["team"]


def drawn(team: Team, one: Box, class_value: int | None = 1) -> None:
    new = NewFeature(polygon(one), class_value=class_value, source=Feature.Source.HUMAN)
    features.add_features(layer=team.label_set.layer, features=[new], user=team.ben)


def doubted(team: Team, layer: FeatureLayer) -> list[float]:
    """Return how far east of the corner the samples begin that the model does not see, in steps."""
    wanted = Wanted(what="unseen", order="place", results=layer)
    told = review_selectors.stream(team.label_set, wanted, me=team.rita.pk)
    assert told.count == len(told.features)
    shapes = [json.loads(text)["geometry"]["coordinates"][0] for text in told.features]
    return [round((min(x for x, _ in ring) - 85.523) * 1e5, 3) for ring in shapes]


def test_what_a_model_does_not_see_of_its_classes_is_doubted(team: Team) -> None:
    # Seen whole, seen by half, seen by a corner, not seen, of no class that the model knows, beside its look.
    for x in (0, 10, 20, 30):
        drawn(team, (x, 0, x + 4, 4))
    drawn(team, (40, 0, 44, 4), class_value=None)
    drawn(team, (90, 0, 94, 4))
    layer = detected(team, [((0, 0, 4, 4), 0.9), ((12, 0, 16, 4), 0.9), ((23, 3, 27, 7), 0.9), ((50, 0, 54, 4), 0.9)])
    assert doubted(team, layer) == [20, 30]
    made_on(team.label_set.imagery, layer)
    Inference.objects.update(extent=polygon((25, -5, 100, 10)))
    assert doubted(team, layer) == [30, 90], "where the model looked, wherever it found something"
    url = f"/api/label-sets/{team.label_set.pk}/review/stream?what=unseen"
    rita = client_for(team.rita)
    assert rita.get(f"{url}&results={layer.pk}").json()["count"] == 2
    assert (rita.get(url).status_code, rita.get(f"{url}&results={team.label_set.layer_id}").status_code) == (400, 404)


def test_samples_are_compared_where_the_moved_imagery_shows_them(team: Team) -> None:
    layer = detected(team, [((0, 0, 4, 4), 0.9)])
    made_on(team.label_set.imagery, layer)
    drawn(team, (0, 0, 4, 4))
    assert doubted(team, layer) == []
    show_east(team, 10, version=0)
    assert doubted(team, layer) == [0]
