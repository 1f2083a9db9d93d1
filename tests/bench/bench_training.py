"""Training: what our loop costs over a bare one on the same batches, and what a CPU learns in minutes.

python -m tests.bench.bench_training overhead            # share of the bare loop's speed (bar: 0.95)
python -m tests.bench.bench_training accuracy            # building IoU on held-out blocks of Banepa, seconds
python -m tests.bench.bench_training export              # chips a second, by threads

Without a word: all three.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from shapely.geometry import shape

from tests.bench.report import report
from tests.conftest import DATA
from training.chips import Cutting, Label
from training.export import Order, export
from training.fit import ChipSet, Hooks, Learner, Plan, fit, loader_of
from training.formats import ClassName, Folder
from training.networks import network_of
from training.settings import Settings

BUILDINGS = DATA / "banepa" / "banepa_buildings_osm.geojson"


def buildings(folder: Path, *, chip_px: int, resolution_m: float, threads: int = 2) -> Folder:
    """Export the labelled block of Banepa."""
    features = json.loads(BUILDINGS.read_text())["features"]
    order = Order(
        imagery=DATA / "banepa" / "banepa_train.tif",
        labels=[Label(shape(feature["geometry"]), 1) for feature in features],
        classes=(ClassName(1, "Building"),),
        format="Classified_Tiles",
        cutting=Cutting(chip_px=chip_px, stride_px=chip_px, resolution_m=resolution_m),
        validation=0.25,
    )
    return export(order, folder, threads=threads)


def overhead(threads: int) -> dict[str, float]:
    """Return CPU seconds of one epoch by our loop, validation left out, and by a bare loop over the same batches.

    The bare loop holds its batches in memory; order and number of both are the same. Alternating, best of three.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = buildings(Path(scratch) / "chips", chip_px=128, resolution_m=0.3)
        # One held-out chip: validation is no part of the comparison.
        held = folder.side("validation")[:1]
        folder = replace(folder, chips=(*folder.side("train"), *held))
        settings = Settings(epochs=1, batch_size=8, patience=0, threads=threads, device="cpu", pretrained=False)
        ours, bare = [], []
        for attempt in range(3):
            began = 0.0
            last = 0.0

            def step(epoch: int, at: int, steps: int, loss: float) -> None:
                nonlocal began, last
                last = time.process_time()
                began = began or last

            fit(folder, network_of("unet"), settings, scratch=Path(scratch) / f"run{attempt}", hooks=Hooks(step=step))
            ours.append(last - began)
            bare.append(bare_loop(folder, settings))
        return {"ours_cpu_s": min(ours), "bare_cpu_s": min(bare), "share_of_bare_speed": min(bare) / min(ours)}


def bare_loop(folder: Folder, settings: Settings) -> float:
    """Return CPU seconds from the first to the last step of plain PyTorch over ready batches."""
    torch.manual_seed(settings.seed)
    network = network_of("unet")
    module = network.build(bands=3, classes=2, pretrained=False).train()
    chips = ChipSet(folder, folder.side("train"), augment=True, seed=settings.seed)
    device = torch.device("cpu")
    batches = [batch.to(device) for batch in loader_of(chips, settings, shuffle=True, drop_last=False, device=device)]
    plan = Plan(settings, len(batches), None, Path(), Hooks())
    made = Learner(network, module, ["Building"], plan).configure_optimizers()
    optimizer = made["optimizer"]
    began = 0.0
    for batch in batches:
        optimizer.zero_grad()
        network.loss(module, batch).backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 5.0)
        optimizer.step()
        began = began or time.process_time()
    return time.process_time() - began


def accuracy(threads: int, epochs: int, *, pretrained: bool) -> dict[str, float]:
    """Return the best IoU on held-out blocks and what it took."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = buildings(Path(scratch) / "chips", chip_px=192, resolution_m=0.26)
        settings = Settings(epochs=epochs, patience=0, threads=threads, device="cpu", pretrained=pretrained)
        began, cpu = time.monotonic(), time.process_time()
        fitted = fit(folder, network_of("unet"), settings, scratch=Path(scratch) / "run")
        return {
            "iou": fitted.metrics["iou"],
            "f1": fitted.metrics["f1"],
            "wall_s": time.monotonic() - began,
            "cpu_s": time.process_time() - cpu,
            "train_chips": len(folder.side("train")),
            "held_out_chips": len(folder.side("validation")),
        }


def exporting() -> dict[str, float]:
    """Return chips a second of an export, by threads."""
    result = {}
    for threads in (1, 2):
        with tempfile.TemporaryDirectory() as scratch:
            began = time.monotonic()
            folder = buildings(Path(scratch) / "chips", chip_px=256, resolution_m=0.13, threads=threads)
            result[f"chips_per_s_{threads}_threads"] = len(folder.chips) / (time.monotonic() - began)
    return result


def main() -> None:
    """Run the measurements that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["overhead", "accuracy", "export"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--scratch", action="store_true", help="accuracy without ImageNet weights")
    options = parser.parse_args()
    measurements: dict[str, Callable[[], dict[str, float]]] = {
        "overhead": lambda: overhead(options.threads),
        "accuracy": lambda: accuracy(options.threads, options.epochs, pretrained=not options.scratch),
        "export": exporting,
    }
    asked = [options.what] if options.what else list(measurements)
    report({name: measurements[name]() for name in asked})


if __name__ == "__main__":
    main()
