"""What the tests of rewriting share: a raster opened, analysed, displayed, read."""

from pathlib import Path
from typing import Any

import numpy as np

from webapp.raster.display import write_display_cog
from webapp.raster.position import parse
from webapp.raster.probe import open_source
from webapp.raster.read import Reader
from webapp.raster.render import Rendering
from webapp.raster.source import Source
from webapp.raster.tiff import TileFile
from webapp.raster.write import write_analysis_cog


def quiet(fraction: float, message: str) -> None:
    """Nobody watches."""


def opened(path: Path, position: dict[str, Any] | None = None, **options: Any) -> Source:
    options = {"nodata": None, "max_pixels": 10**9, **options}
    return open_source(path, name=path.name, position=parse(position or {}), **options)


def analysed(path: Path, position: dict[str, Any] | None = None, **options: Any) -> Path:
    out = path.with_name("analysis.tif")
    write_analysis_cog(opened(path, position, **options), out, progress=quiet)
    return out


def displayed(path: Path, rendering: Rendering | None = None) -> TileFile:
    out = path.with_name("display.tif")
    write_display_cog(path, out, rendering, progress=quiet)
    return TileFile(out)


def pixels(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with Reader(path) as reader:
        chip = reader.read(reader.whole)
    return chip.array, chip.valid
