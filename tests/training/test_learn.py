"""The three lines of Python, without Django."""

import subprocess
import sys
from pathlib import Path

import pytest

from training import package
from training.formats import Folder
from training.learn import RetinaNet, UnetClassifier, prepare_data
from webapp.errors import Invalid

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.data
def test_three_lines_train_show_and_save_without_django(buildings: Folder, tmp_path: Path) -> None:
    script = f"""
import sys
from training.learn import prepare_data, UnetClassifier
data = prepare_data({str(buildings.path)!r}, batch_size=4)
model = UnetClassifier(data)
model.fit(2, threads=1)
model.show_results(2).save({str(tmp_path / "results.png")!r})
print(model.save({str(tmp_path / "roofs.dlpk")!r}), data.classes, data.c, data.chip_size, model.mIOU())
assert "django" not in sys.modules
"""
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "['NoData', 'Building'] 2 128" in ended.stdout
    loaded = package.load(tmp_path / "roofs.dlpk")
    assert (loaded.description.name, loaded.description.class_values) == ("roofs", (0, 7))
    assert package.sample_count(tmp_path / "roofs.dlpk") > 0
    # It can be trained on.
    data = prepare_data(buildings.path, batch_size=4)
    further = UnetClassifier.from_model(tmp_path / "roofs.dlpk", data)
    further.fit(1, lr=1e-5, threads=1)
    assert further.metrics["iou"] >= loaded.description.metrics["iou"] - 0.1


@pytest.mark.data
def test_a_folder_of_arcgis_without_our_file_is_split_by_ground(trees: Folder, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "chips"
    shutil.copytree(trees.path, copy)
    (copy / "quadrat.json").unlink()
    data = prepare_data(copy, val_split_pct=0.25)
    assert data.classes == ["Tree"]
    assert data.folder.split["kind"] == "blocks"
    assert data.folder.side("validation")
    assert data.folder.side("train")
    assert data.folder.resolution_m == pytest.approx(trees.resolution_m, rel=1e-3)
    picture = data.show_batch(2)
    assert picture.size == (260, 260)


@pytest.mark.data
def test_the_wrong_network_for_the_data_is_refused(buildings: Folder, trees: Folder) -> None:
    with pytest.raises(Invalid, match="cannot learn from PASCAL_VOC_rectangles"):
        UnetClassifier(prepare_data(trees.path))
    with pytest.raises(Invalid, match="cannot learn from Classified_Tiles"):
        RetinaNet(prepare_data(buildings.path))


def test_a_folder_that_is_no_training_data_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"map\.txt missing"):
        prepare_data(tmp_path)
