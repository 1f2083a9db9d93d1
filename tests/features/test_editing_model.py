"""Edits against a model: whatever three clients send, the log folds to the table and answers are what a model says."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.gis.geos import Point
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.factories import make_layer, make_project, make_user
from tests.machines import walks
from webapp.features import selectors, services
from webapp.features.edits import EditRequest, EditResult
from webapp.features.models import Edit, Feature, FeatureLayer

CLIENTS = st.integers(0, 2)
PICK = st.integers(0, 5)


class Editing(RuleBasedStateMachine):
    """Three clients, each with what it last saw; the model is a dict of versions."""

    @initialize()
    def begin(self) -> None:
        self.layer: FeatureLayer = make_layer(make_project(make_user("ana")))
        self.versions: dict[UUID, int] = {}
        self.living: dict[UUID, dict[str, Any]] = {}
        self.seen: list[dict[UUID, int]] = [{}, {}, {}]
        self.answered: list[tuple[EditRequest, EditResult, bool]] = []
        self.count = 0

    def pick(self, number: int) -> UUID | None:
        return list(self.versions)[number % len(self.versions)] if self.versions else None

    def send(self, client: int, *edits: EditRequest) -> list[EditResult]:
        results = services.apply_edits(layer=self.layer, edits=list(edits), user=None)
        for edit, result in zip(edits, results, strict=True):
            if result.version is not None:
                self.seen[client][edit.feature_id] = result.version
        return results

    def expect(self, edit: EditRequest) -> str:
        """The model's verdict on one edit, and its effect."""
        pk, version = edit.feature_id, self.versions.get(edit.feature_id)
        if edit.action == "create":
            if version is None:
                status = "ok" if edit.base_version == 0 else "gone"
            else:
                status = "conflict" if pk in self.living or edit.base_version != version else "ok"
        elif version is None or (edit.action == "update" and pk not in self.living):
            status = "gone"
        elif edit.action == "delete" and pk not in self.living:
            return "ok"  # already what was wanted; nothing is written
        else:
            status = "ok" if edit.base_version == version else "conflict"
        if status == "ok":
            self.versions[pk] = (version or 0) + 1
            self.count += 1
            if edit.action == "delete":
                self.living.pop(pk)
            else:
                self.living[pk] = edit.properties or {}
        return status

    def one(self, client: int, edit: EditRequest) -> None:
        before = self.count
        wanted = self.expect(edit)
        [result] = self.send(client, edit)
        assert result.status == wanted
        if result.status == "ok":
            assert result.version == self.versions[edit.feature_id]
            self.answered.append((edit, result, self.count > before))
        elif result.status == "conflict":
            assert json.loads(result.feature or "")["meta"]["version"] == self.versions[edit.feature_id]

    @rule(client=CLIENTS, n=st.integers())
    def create(self, client: int, n: int) -> None:
        self.one(
            client, EditRequest(uuid4(), "create", uuid4(), geometry=Point(1, 2, srid=4326), properties={"n": n % 9})
        )

    @rule(client=CLIENTS, number=PICK, n=st.integers(0, 9), fresh=st.booleans())
    def update(self, client: int, number: int, n: int, fresh: bool) -> None:
        pk = self.pick(number)
        if pk is not None:
            base = self.versions[pk] if fresh else self.seen[client].get(pk, 0)
            self.one(client, EditRequest(uuid4(), "update", pk, base, properties={"n": n}))

    @rule(client=CLIENTS, number=PICK, fresh=st.booleans())
    def delete(self, client: int, number: int, fresh: bool) -> None:
        pk = self.pick(number)
        if pk is not None:
            self.one(client, EditRequest(uuid4(), "delete", pk, self.versions[pk] if fresh else 1))

    @rule(client=CLIENTS, number=PICK, fresh=st.booleans())
    def restore(self, client: int, number: int, fresh: bool) -> None:
        pk = self.pick(number)
        if pk is not None:
            base = self.versions[pk] if fresh else 1
            self.one(client, EditRequest(uuid4(), "create", pk, base, properties={}))

    @rule(client=CLIENTS, number=PICK)
    def repeat(self, client: int, number: int) -> None:
        if self.answered:
            edit, first, written = self.answered[number % len(self.answered)]
            if not written:
                # A delete of what was deleted already: the log has nothing of it, so it is judged anew.
                self.one(client, edit)
                return
            [again] = self.send(client, edit)
            assert (again.status, again.version) == ("ok", first.version)

    @rule(client=CLIENTS, number=PICK)
    def batch_with_one_bad(self, client: int, number: int) -> None:
        good = EditRequest(uuid4(), "create", uuid4(), geometry=Point(1, 2, srid=4326))
        bad = EditRequest(uuid4(), "update", uuid4(), 1, properties={})
        assert [item.status for item in self.send(client, good, bad)] == ["aborted", "gone"]

    @invariant()
    def the_table_is_the_model_and_the_fold_of_the_log(self) -> None:
        if not hasattr(self, "layer"):
            return
        self.layer.refresh_from_db()
        numbers = list(Edit.objects.filter(layer=self.layer).order_by("seq").values_list("seq", flat=True))
        assert numbers == list(range(1, self.count + 1))
        assert (self.layer.seq, self.layer.feature_count) == (self.count, len(self.living))
        table = {
            row.pk: (row.version, row.properties) for row in Feature.objects.filter(layer=self.layer, deleted=False)
        }
        assert table == {pk: (self.versions[pk], properties) for pk, properties in self.living.items()}
        fold = {row.id: (row.version, row.properties) for row in selectors.features_at(self.layer, self.layer.seq)}
        assert fold == table


class TestEditing(TestCase, Editing.TestCase):  # type: ignore[misc,name-defined]
    """Runs the machine, each example in a transaction that is rolled back."""

    settings = walks(15, 25)


pytestmark = pytest.mark.django_db
