"""`manage.py ingest FOLDER`: one report, goes on past what is refused, passes over what is there."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from django.core.management import CommandError, call_command

from tests.factories import make_project, make_user
from webapp.imagery.models import ImageryLayer

pytestmark = pytest.mark.django_db(transaction=True)


def ingest(folder: Path, capfd: Any, **options: Any) -> tuple[list[dict[str, Any]], str]:
    """Return the JSON lines but those of progress, and the error with which the command ended."""
    out, error = StringIO(), ""
    try:
        call_command("ingest", str(folder), stdout=out, json=True, **options)
    except CommandError as failure:
        error = str(failure)
    capfd.readouterr()
    return [json.loads(line) for line in out.getvalue().splitlines()], error


def test_a_folder_is_taken_with_one_report_and_only_what_is_new_the_next_time(tmp_path: Path, capfd: Any) -> None:
    project = make_project(make_user("ana"))
    place = Affine(0.5, 0, 500_000, 0, -0.5, 4_649_000)
    profile = {"driver": "GTiff", "count": 3, "dtype": "uint8", "height": 64, "width": 64, "crs": "EPSG:32633"}
    folder = tmp_path / "flight"  # the site of a test keeps its own files beside it
    (folder / "deeper").mkdir(parents=True)
    with rasterio.open(folder / "deeper" / "good.tif", "w", transform=place, **profile) as target:
        target.write(np.random.default_rng(1).integers(1, 255, (3, 64, 64), dtype=np.uint8))
    (folder / "bad.tif").write_bytes(b"no raster")

    (bad, good, report), error = ingest(folder, capfd)
    assert (bad["error"], good["name"]) == ("not_an_image", "good")
    assert report == {"report": {"files": 2, "taken": 1, "known": 0, "refused": 1}}
    assert error == "1 of 2 files could not be taken."

    (_, known, report), _ = ingest(folder, capfd, project=project.name)
    assert known["known"] == str(ImageryLayer.objects.get().pk)
    assert report["report"] == {"files": 2, "taken": 0, "known": 1, "refused": 1}


def test_a_folder_without_rasters_says_so(tmp_path: Path) -> None:
    make_project(make_user("ana"))
    (tmp_path / "flight").mkdir()
    with pytest.raises(CommandError, match="holds no raster"):
        call_command("ingest", str(tmp_path / "flight"))
