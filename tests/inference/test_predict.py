"""The engine against a forward pass over the whole scene."""

import tracemalloc
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from numpy.typing import NDArray
from rasterio.transform import from_origin
from shapely.geometry import Polygon, box
from torch import Tensor, nn
from torch.nn import functional

from inference import predict
from inference.plan import Grid, Layout, blocks, grid_for, inside, object_layout
from inference.reading import Predictor, Work
from webapp.errors import BandMismatch
from webapp.raster.blocks import NODATA
from webapp.raster.read import info

CORNER = from_origin(465_000, 5_247_000, 1, 1)
MEAN, STD = (120.0, 118.0, 110.0), (50.0, 48.0, 45.0)


def scene_file(data: Path) -> Path:
    """Return a real 400 x 400 px scene."""
    return next(iter(sorted((data / "neon_trees").glob("SJER_*.tif"))))


def convolutions(reach_px: int, classes: int = 4, seed: int = 3) -> nn.Module:
    """Return a small random network whose receptive field reaches `reach_px` to each side.

    Its outputs have mean 0 and deviation 1 on noise that is like a scene, so that every class occurs.
    """
    torch.manual_seed(seed)
    widths = [3] + [8] * (reach_px - 1) + [classes]
    found = [nn.Conv2d(before, after, 3, padding=1) for before, after in pairwise(widths)]
    x = functional.interpolate(torch.randn(1, 3, 32, 32), size=(256, 256), mode="bicubic")
    layers: list[nn.Module] = []
    with torch.inference_mode():
        for layer in found:
            y = layer(x)
            mean, std = y.mean(dim=(0, 2, 3)), y.std(dim=(0, 2, 3))
            layer.weight.div_(std[:, None, None, None])
            layer.bias.sub_(mean).div_(std)
            x = torch.relu(layer(x))
            layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


def predictor(module: nn.Module, values: tuple[int, ...] = (0, 1, 2, 7)) -> Predictor:
    """Return what the engine needs."""
    return Predictor(lambda x: {"logits": module(x)}, MEAN, STD, values)


def own_grid(path: Path) -> Grid:
    """Return the raster's own grid."""
    about = info(path)
    return Grid(about.height, about.width, about.transform, about.crs_wkt, 32)


def classify(work: Work, model: Predictor) -> NDArray[np.uint8]:
    """Return all blocks put together."""
    out = np.full((work.grid.height, work.grid.width), 254, dtype=np.uint8)
    for block in predict.classify(work, model, blocks(work.grid, work.layout, work.extent)):
        out[block.window.slices()] = block.classes
    return out


def whole_scene(path: Path, module: nn.Module, halo_px: int) -> Tensor:
    """Return logits (class, row, col) of one forward over the scene, mirrored at its edges: the oracle."""
    with rasterio.open(path) as raster:
        array, valid = raster.read().astype(np.float32), raster.dataset_mask() > 0
    array = (array - np.array(MEAN, np.float32)[:, None, None]) / np.array(STD, np.float32)[:, None, None]
    array[:, ~valid] = 0
    array = np.pad(array, ((0, 0), (halo_px, halo_px), (halo_px, halo_px)), mode="reflect")
    with torch.inference_mode():
        return module(torch.from_numpy(array)[None])[0][:, halo_px:-halo_px, halo_px:-halo_px]


@pytest.mark.parametrize("stitch", ["trim", "blend"])
@pytest.mark.parametrize("core_px", [64, 96, 416])
def test_there_are_no_seams(data: Path, stitch: str, core_px: int) -> None:
    path, module = scene_file(data), convolutions(reach_px=12)
    truth = whole_scene(path, module, 64).argmax(dim=0).numpy()
    # Half the halo of 32 px stays as context when blending: 16 px, and the network reaches 12.
    layout = Layout(core_px, 32, 2 * core_px, stitch)  # type: ignore[arg-type]
    found = classify(Work(path, own_grid(path), layout), predictor(module))
    expected = np.array([0, 1, 2, 7], np.uint8)[truth]
    logits = whole_scene(path, module, 64).sort(dim=0).values
    # Sums of another order may differ by 1e-5; where two classes are that close, either is right.
    clear = ((logits[-1] - logits[-2]).numpy() > 1e-5) & (found != NODATA)
    assert len(np.unique(expected)) == 4
    np.testing.assert_array_equal(found[clear], expected[clear])
    assert clear.mean() > 0.99


def test_a_halo_below_the_reach_shows_seams(data: Path) -> None:
    """The test above can fail: without halo it does."""
    path, module = scene_file(data), convolutions(reach_px=12)
    truth = np.array([0, 1, 2, 7], np.uint8)[whole_scene(path, module, 64).argmax(dim=0).numpy()]
    found = classify(Work(path, own_grid(path), Layout(64, 0, 128)), predictor(module))
    assert (found != truth).mean() > 0.01


def test_one_block_and_sixteen_give_the_same_classes(data: Path) -> None:
    path, model = scene_file(data), predictor(convolutions(reach_px=20))
    grid = own_grid(path)
    one = classify(Work(path, grid, Layout(64, 32, 448)), model)
    sixteen = classify(Work(path, grid, Layout(64, 32, 128)), model)
    np.testing.assert_array_equal(one, sixteen)


@pytest.mark.parametrize("ratio", [0.5, 0.7, 1.7, 4.0])
def test_blocks_change_nothing_at_another_resolution_either(data: Path, ratio: float) -> None:
    path, model = scene_file(data), predictor(convolutions(reach_px=8))
    grid = grid_for(info(path), 0.1 * ratio)
    assert grid.scale == pytest.approx(ratio, rel=0.04)
    assert grid.height == pytest.approx(400 / grid.scale, abs=1)
    one = classify(Work(path, grid, Layout(32, 32, 1024)), model)
    many = classify(Work(path, grid, Layout(32, 32, 64)), model)
    # GDAL's resampling sees no further than the window it is asked for; at its edges the last bit may differ.
    assert (one == many).mean() > 0.999


def test_ramps_of_neighbours_sum_to_one() -> None:
    layout = Layout(64, 32, 128, "blend")
    total = np.zeros(64 * 4)
    for start in range(0, 256, 64):
        weight = predict.ramp(layout, start, 256)
        first, last = max(0, start - 16), min(256, start + 80)
        total[first:last] += weight[first - start + 16 : last - start + 16]
    np.testing.assert_allclose(total, 1.0, atol=1e-6)


def test_batches_are_filled_up_to_one_shape(data: Path) -> None:
    path, shapes = scene_file(data), set()
    module = convolutions(reach_px=4)

    def forward(x: Tensor) -> Mapping[str, Tensor]:
        shapes.add(tuple(x.shape))
        return {"logits": module(x)}

    model = replace(predictor(module), forward=forward)
    by_threes = classify(Work(path, own_grid(path), Layout(96, 32, 192), batch_size=3), model)
    assert shapes == {(3, 3, 160, 160)}
    singly = classify(Work(path, own_grid(path), Layout(96, 32, 192)), predictor(module))
    assert (by_threes == singly).mean() > 0.9999


def test_outside_the_extent_is_nodata_and_its_blocks_are_left_out(data: Path) -> None:
    path, model = scene_file(data), predictor(convolutions(reach_px=4))
    grid, layout = own_grid(path), Layout(64, 32, 64)
    extent = Polygon([(70, 70), (180, 90), (120, 180)])
    chosen = blocks(grid, layout, extent)
    assert 0 < len(chosen) < len(blocks(grid, layout)) / 3
    everywhere = classify(Work(path, grid, layout), model)
    for block in predict.classify(Work(path, grid, layout, extent), model, chosen):
        within = inside(block.window, extent)
        np.testing.assert_array_equal(block.classes[within], everywhere[block.window.slices()][within])
        assert (block.classes[~within] == NODATA).all()


def empty_half(path: Path) -> Path:
    """Write a raster whose left half has no data."""
    array = np.random.default_rng(0).integers(1, 255, (3, 256, 256), dtype=np.uint8)
    array[:, :, :128] = 0
    profile = {"driver": "GTiff", "height": 256, "width": 256, "count": 3, "dtype": "uint8", "nodata": 0}
    with rasterio.open(
        path, "w", crs="EPSG:32632", transform=from_origin(465_000, 5_247_000, 1, 1), **profile
    ) as raster:
        raster.write(array)
    return path


def test_no_data_stays_no_data_and_costs_no_forward(tmp_path: Path) -> None:
    path = empty_half(tmp_path / "half.tif")
    module, calls = convolutions(reach_px=4), []

    def forward(x: Tensor) -> Mapping[str, Tensor]:
        calls.append(len(x))
        return {"logits": module(x)}

    found = classify(Work(path, own_grid(path), Layout(64, 32, 128)), replace(predictor(module), forward=forward))
    assert (found[:, :128] == NODATA).all()
    assert (found[:, 128:] != NODATA).all()
    assert len(calls) == 8


def test_finished_blocks_are_skipped(data: Path) -> None:
    path, model = scene_file(data), predictor(convolutions(reach_px=4))
    work = Work(path, own_grid(path), Layout(64, 32, 128))
    found = [block.number for block in predict.classify(work, model, blocks(work.grid, work.layout), skip={0, 3, 5})]
    assert found == [number for number in range(16) if number not in {0, 3, 5}]


def test_wrong_bands_are_refused_with_a_sentence(data: Path) -> None:
    path, model = scene_file(data), predictor(convolutions(reach_px=4))
    work = Work(path, own_grid(path), Layout(64, 32, 128), bands=(1, 2))
    with pytest.raises(BandMismatch, match="2 of its 3 bands, the package takes 3"):
        next(predict.classify(work, model, blocks(work.grid, work.layout)))


def test_a_resolution_ten_times_off_is_refused(data: Path) -> None:
    with pytest.raises(BandMismatch, match="trained on 1 m"):
        grid_for(info(scene_file(data)), 1.0)


def test_classes_below_the_threshold_become_background() -> None:
    logits = torch.tensor([0.0, 0.4, 3.0]).reshape(3, 1, 1).expand(3, 2, 2)
    assert (predict.best_class(logits, 0.0) == 2).all()
    share = float(logits.softmax(dim=0)[2, 0, 0])
    assert (predict.best_class(logits, share - 0.01) == 2).all()
    assert (predict.best_class(logits, share + 0.01) == 0).all()


@pytest.mark.parametrize("classes", [2, 5])
def test_the_best_class_is_numpys(classes: int) -> None:
    logits = torch.from_numpy(np.random.default_rng(1).integers(0, 6, (classes, 50, 40)).astype(np.float32))
    np.testing.assert_array_equal(predict.best_class(logits, 0.0), logits.numpy().argmax(axis=0))


def finder(boxes: list[tuple[float, float, float, float]], halo_px: int, calls: list[Tensor]) -> Predictor:
    """Return a detector that finds given boxes of the scene wherever a chip sees part of them.

    It knows where it is: the first band holds the column, the second the row.
    """

    def forward(x: Tensor) -> Mapping[str, Tensor]:
        calls.append(x)
        out = torch.zeros(len(x), 50, 4)
        scores = torch.zeros(len(x), 50)
        for index in range(len(x)):
            left, top = float(x[index, 0, halo_px, halo_px]) - halo_px, float(x[index, 1, halo_px, halo_px]) - halo_px
            for number, (west, north, east, south) in enumerate(boxes):
                clipped = torch.tensor([west - left, north - top, east - left, south - top]).clamp(0, x.shape[-1])
                if clipped[2] > clipped[0] and clipped[3] > clipped[1]:
                    out[index, number] = clipped
                    scores[index, number] = 0.5 + number / 1000
        return {"boxes": out, "scores": scores, "labels": torch.zeros(len(x), 50, dtype=torch.int64)}

    return Predictor(forward, (0.0, 0.0), (1.0, 1.0), (5,))


def coordinates(path: Path, size: int = 300) -> Path:
    """Write a raster whose bands hold column and row, one above."""
    rows, cols = np.mgrid[:size, :size].astype(np.float32)
    profile = {"driver": "GTiff", "height": size, "width": size, "count": 2, "dtype": "float32"}
    with rasterio.open(
        path, "w", crs="EPSG:32632", transform=from_origin(465_000, 5_247_000, 1, 1), **profile
    ) as raster:
        raster.write(np.stack([cols, rows]))
    return path


@pytest.mark.parametrize("batch_size", [1, 4])
def test_each_object_is_found_once_whatever_the_seams(tmp_path: Path, batch_size: int) -> None:
    path = coordinates(tmp_path / "where.tif")
    random = np.random.default_rng(9)
    corners = random.uniform(0, 270, (40, 2))
    truth = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, random.uniform(4, 30, (40, 2)), strict=True)]
    layout = object_layout(chip_px=128, halo_px=32, block_px=128)
    work = Work(path, own_grid(path), layout, batch_size=batch_size)
    found = [block.detections for block in predict.detect(work, finder(truth, 32, []), blocks(work.grid, layout))]
    boxes = np.concatenate([part.boxes for part in found])
    assert {int(value) for part in found for value in part.classes} == {5}
    order, expected = np.lexsort(boxes.T), np.array(truth)
    np.testing.assert_allclose(boxes[order], expected[np.lexsort(expected.T)], atol=1e-3)


def test_objects_outside_the_extent_are_left_out(tmp_path: Path) -> None:
    path = coordinates(tmp_path / "where.tif")
    layout = object_layout(chip_px=128, halo_px=32, block_px=128)
    work = Work(path, own_grid(path), layout, box(0, 0, 100, 300))
    model = finder([(90.0, 10.0, 99.0, 20.0), (98.0, 50.0, 108.0, 60.0), (200.0, 200.0, 210.0, 210.0)], 32, [])
    found = [block.detections for block in predict.detect(work, model, blocks(work.grid, layout, work.extent))]
    assert [tuple(box) for part in found for box in part.boxes] == [(90.0, 10.0, 99.0, 20.0)]


def test_low_scores_are_left_out(tmp_path: Path) -> None:
    path = coordinates(tmp_path / "where.tif")
    layout = object_layout(chip_px=128, halo_px=32, block_px=128)
    work = Work(path, own_grid(path), layout, threshold=0.5005)
    model = finder([(10.0, 10.0, 20.0, 20.0), (50.0, 50.0, 60.0, 60.0)], 32, [])
    found = [block.detections for block in predict.detect(work, model, blocks(work.grid, layout))]
    assert sum(len(part) for part in found) == 1


def tiled(path: Path, size: int) -> Path:
    """Write a tiled raster of `size` x `size` px strip by strip."""
    profile = {
        "driver": "GTiff",
        "height": size,
        "width": size,
        "count": 3,
        "dtype": "uint8",
        "tiled": True,
        "compress": "lzw",
    }
    with rasterio.open(
        path, "w", crs="EPSG:32632", transform=from_origin(465_000, 5_247_000, 1, 1), **profile
    ) as raster:
        for row in range(0, size, 256):
            strip = np.random.default_rng(row).integers(0, 9, (3, 256, size), dtype=np.uint8)
            raster.write(strip, window=rasterio.windows.Window(0, row, size, 256))
    return path


@pytest.mark.slow
def test_memory_is_flat_from_one_scene_to_sixteen(tmp_path: Path) -> None:
    model = Predictor(lambda x: {"logits": x}, (0.0,) * 3, (1.0,) * 3, (0, 1, 2))

    def peak(size: int) -> int:
        path = tiled(tmp_path / f"{size}.tif", size)
        grid = own_grid(path)
        work = Work(path, grid, Layout(256, 32, 512))
        tracemalloc.start()
        for block in predict.classify(work, model, blocks(grid, work.layout)):
            assert block.classes.size
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2048)
    # Sixteen times the pixels. What is read ahead at the peak depends on which thread ran when, so not "the same".
    assert peak(8192) < 2 * peak(2048)
