"""How long the drawing aids take on real buildings, and how near to the truth they come.

    python -m tests.bench.bench_assist [--count N]

For buildings of Banepa: CPU seconds and intersection over union with the mapped outline, of the outline found in a box
drawn a metre around it, of that box itself, of the region like a click in its middle, and of the segments that lie
mostly inside it, which is what a careful hand would choose (of every pixel, and of every second one).
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import django
import numpy as np
import shapely
from affine import Affine
from django.conf import settings
from shapely.geometry import box, mapping, shape
from shapely.geometry.base import BaseGeometry

from tests.bench.report import report
from tests.conftest import DATA
from webapp.errors import Invalid
from webapp.raster import read
from webapp.raster.shapes import to_crs

SCENE = DATA / "banepa" / "banepa_train.tif"
TRUTH = DATA / "banepa" / "banepa_buildings_osm.geojson"
UTM = 32645

Find = Callable[[BaseGeometry], Mapping[str, Any]]


def main() -> int:
    """Measure the three ways over the same buildings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    count = parser.parse_args().count
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    from labeling import segments
    from labeling.assist import Place, object_in, wand
    from webapp.imagery.models import ImageryLayer

    info = read.info(SCENE)
    a, _, c, _, e, f = info.transform
    area = to_crs(box(c, f + e * info.height, c + a * info.width, f), info.crs_wkt, 4326)
    truth = [shape(row["geometry"]) for row in json.loads(TRUTH.read_text())["features"]]
    truth = [one for one in truth if area.contains(one)]
    random.Random(1).shuffle(truth)
    with tempfile.TemporaryDirectory() as media:
        settings.MEDIA_DIR = media
        (Path(media) / "scene.tif").symlink_to(SCENE)
        scene = ImageryLayer(analysis_path="scene.tif", height=info.height, width=info.width, gsd_m=0.3, version=1)

        def around(one: BaseGeometry) -> BaseGeometry:
            return box(*to_crs(to_crs(one, 4326, UTM).buffer(1), UTM, 4326).bounds)

        grid = Affine(*info.transform)

        def chosen_segments(one: BaseGeometry, level: int) -> Mapping[str, Any]:
            there, side, picks = to_crs(one, 4326, info.crs_wkt), segments.BLOCK_PX * level, []
            for block in segments.blocks(scene, level, one.bounds):
                labels = segments.labels(scene, level, block.row, block.col)
                rows, cols = (np.mgrid[0 : segments.BLOCK_PX, 0 : segments.BLOCK_PX] + 0.5) * level
                x, y = grid @ (cols + block.col * side, rows + block.row * side)
                counts = np.bincount(labels.ravel())
                within = np.bincount(labels[shapely.contains_xy(there, x, y)], minlength=len(counts))
                numbers = np.flatnonzero(within > 0.5 * counts)
                picks += [(block.row, block.col, int(number)) for number in numbers if number]
            segments._labels.cache_clear()  # each building pays for its own
            return segments.union(scene, level, picks)

        ways: dict[str, Find] = {
            "object_in_box": lambda one: object_in(scene, around(one).bounds),
            "the_box_itself": lambda one: mapping(around(one)),
            "wand": lambda one: wand(scene, Place(*one.representative_point().coords[0], 0.2)),
            "segments": lambda one: chosen_segments(one, 1),
            "segments_of_every_second_pixel": lambda one: chosen_segments(one, 2),
        }
        chosen = truth[:count]
        report({"buildings": len(chosen), **{name: _measure(way, chosen) for name, way in ways.items()}})
    return 0


def _measure(find: Find, truth: list[BaseGeometry]) -> dict[str, Any]:
    seconds, overlaps, refused = [], [], 0
    for one in truth:
        started = time.process_time()
        try:
            found = shape(find(one))
        except Invalid:
            refused += 1
            continue
        finally:
            seconds.append(time.process_time() - started)
        overlaps.append(found.intersection(one).area / found.union(one).area)
    return {
        "cpu_s": {"median": round(median(seconds), 3), "most": round(max(seconds), 3)},
        "iou_quartiles": [round(part, 2) for part in quantiles(overlaps, n=4)],
        "refused": refused,
    }


if __name__ == "__main__":
    sys.exit(main())
