"""`manage.py export_training_data|train|models`."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from labeling.models import LabelSet
from tests.training.test_jobs import label_set as label_set  # the fixture
from training.models import ModelPackage, TrainingData

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.data]


def said(*arguments: str, **options: Any) -> list[str]:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO(), **options)
    return out.getvalue().splitlines()


@pytest.mark.slow
def test_commands_export_train_and_look_after_models(label_set: LabelSet, tmp_path: Path) -> None:
    lines = said(
        "export_training_data", "Roofs", "--chip", "128", "--resolution", "0.3", "--validation", "0.25", "--json"
    )
    exported = json.loads(lines[-1])
    assert (Path(exported["folder"]) / "map.txt").is_file()
    assert exported["chips"]["validation"] > 0

    arguments = ["--epochs", "1", "--threads", "1", "--pretrained", "off", "--name", "Roof finder", "--json"]
    trained = json.loads(said("train", exported["training_data"], *arguments)[-1])
    assert 0 <= trained["iou"] <= 1
    row = ModelPackage.objects.get()
    assert row.data["settings"]["pretrained"] is False

    assert "Roof finder" in said("models", "list")[0]
    assert json.loads("\n".join(said("models", "query", "Roof finder")))["sha256"] == row.sha256
    copied = said("models", "package", "Roof finder", str(tmp_path))[0]
    assert Path(copied).name == "Roof_finder.dlpk"
    said("models", "uninstall", str(row.pk))
    assert said("models", "list") == []
    installed = json.loads(said("models", "install", copied, "--project", str(label_set.project_id), "--json")[-1])
    assert ModelPackage.objects.get(pk=installed["package"]).sha256 == row.sha256


WRONG = [
    (["export_training_data", "Nothing"], "no label set 'Nothing'"),
    (["export_training_data", "Roofs", "--chip", "100"], "100 px cannot be cut"),
    (["export_training_data", "Roofs", "--bands", "a"], "An option is wrong"),
    (["train", "Nothing"], "no training data 'Nothing'"),
    (["models", "query", "Nothing"], "no model package 'Nothing'"),
    (["models", "install", "nowhere.dlpk", "--project", "x"], "no file 'nowhere.dlpk'"),
]


def test_a_command_that_cannot_says_one_clear_sentence(label_set: LabelSet) -> None:
    # One test: to draw the label set takes longer than all of it.
    for arguments, words in WRONG:
        with pytest.raises(CommandError, match=words):
            said(*arguments)
        assert not TrainingData.objects.exists()
