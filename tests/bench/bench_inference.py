"""How fast inference is: all that is not the model, and all of it beside the bare model.

    python -m tests.bench.bench_inference [RASTER] [--threads N]

Prints one JSON object: Mpx/s of output pixels by wall clock, and CPU seconds per Mpx, which do not depend on what
else the machine does.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inference import predict
from inference.plan import ALIGN_PX, Block, Grid, Layout, blocks, chips, pixel_layout
from inference.reading import Predictor, Work
from tests.bench.report import report
from tests.conftest import DATA
from training.networks import Unet
from webapp.raster.blocks import BlockFolder, BlockGrid
from webapp.raster.read import info

DEFAULT = DATA / "banepa" / "banepa_full_cog.tif"


@dataclass(frozen=True)
class Timing:
    """Wall and CPU seconds of one piece of work over some pixels."""

    pixels: int
    wall_s: float
    cpu_s: float

    def as_json(self) -> dict[str, float]:
        """Return rates."""
        million = self.pixels / 1e6
        return {
            "mpx": round(million, 1),
            "mpx_per_s": round(million / self.wall_s, 2),
            "cpu_s_per_mpx": round(self.cpu_s / million, 4),
            # What two idle cores could do: the other work of the machine does not count.
            "mpx_per_s_on_2_cores": round(2 * million / self.cpu_s, 1),
        }


def timed(pixels: int, work: Callable[[], Any]) -> Timing:
    """Run and time."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Timing(pixels, time.perf_counter() - wall, time.process_time() - cpu)


def area(chosen: list[Block]) -> int:
    """Return the pixels of some blocks."""
    return sum(block.window.height * block.window.width for block in chosen)


def run(work: Work, model: Predictor, chosen: list[Block], folder: Path) -> None:
    """Classify and store blocks, as a job does but for the database."""
    grid = work.grid
    stored = BlockFolder.create(
        folder, BlockGrid(grid.height, grid.width, grid.transform, grid.crs_wkt, work.layout.block_px)
    )
    for block in predict.classify(work, model, chosen):
        stored.write_block(block.number, block.window, block.classes)


def null(x: Tensor) -> dict[str, Tensor]:
    """Return two bands as logits: a network that costs nothing."""
    return {"logits": x[:, :2]}


def bare(layout: Layout, module: torch.nn.Module, chips: int) -> None:
    """Run the network alone on chips of the layout's size."""
    x = torch.zeros(1, 3, layout.chip_px, layout.chip_px)
    with torch.inference_mode():
        for _ in range(chips):
            Unet().raw_forward(module, x)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raster", type=Path, nargs="?", default=DEFAULT)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--network-blocks", type=int, default=2, help="blocks that the real network predicts")
    options = parser.parse_args()
    predict.configure(threads=options.threads)
    about = info(options.raster)
    grid = Grid(about.height, about.width, about.transform, about.crs_wkt, ALIGN_PX)
    mean, std, values = (100.0,) * about.count, (50.0,) * about.count, (0, 1)
    layout = pixel_layout(grid, halo_px=64)
    work, chosen = Work(options.raster, grid, layout), blocks(grid, layout)
    result: dict[str, Any] = {"raster": options.raster.name, "chip_px": layout.chip_px, "halo_px": layout.halo_px}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model = Predictor(null, mean, std, values)
        run(work, model, chosen[:1], folder / "warm")
        result["null_network"] = timed(area(chosen), lambda: run(work, model, chosen, folder / "null")).as_json()
        result["assemble"] = timed(
            area(chosen), lambda: BlockFolder(folder / "null").assemble(folder / "null.tif", colours={1: "#1b9e77"})
        ).as_json()
        result["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        module = Unet().build(bands=about.count, classes=2, pretrained=False).eval()
        network = Predictor(lambda x: Unet().raw_forward(module, x), mean, std, values)
        some = chosen[: options.network_blocks]
        run(work, network, some[:1], folder / "warm2")
        chips = sum(len(chips(block, layout, grid)) for block in some)
        ours = timed(area(some), lambda: run(work, network, some, folder / "network"))
        alone = timed(chips * layout.chip_px**2, lambda: bare(layout, module, chips))
        result["network"] = ours.as_json()
        result["bare_network"] = alone.as_json()
        credited = chips * layout.chip_px**2 / ours.wall_s / (alone.pixels / alone.wall_s)
        unique = ours.pixels / ours.wall_s / (alone.pixels / alone.wall_s)
        result["of_bare_rate"] = {"unique": round(unique, 3), "overlap_credited": round(credited, 3)}
    report(result)


if __name__ == "__main__":
    main()
