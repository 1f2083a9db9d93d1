"""Pixel rectangles of a raster, and the grid that covers it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor


@dataclass(frozen=True, slots=True)
class Window:
    """A pixel rectangle: rows [row, row + height), columns [col, col + width). It may reach outside the raster."""

    row: int
    col: int
    height: int
    width: int

    def __post_init__(self) -> None:
        if self.height < 0 or self.width < 0:
            raise ValueError(f"A window has no negative size, got {self.height} x {self.width}.")

    def grow(self, px: int) -> "Window":
        """Return the window with `px` more pixels on each side: its halo."""
        return Window(self.row - px, self.col - px, self.height + 2 * px, self.width + 2 * px)

    def clip(self, height: int, width: int) -> "Window":
        """Return the part inside a raster of that size; it is empty (0 pixels) where they do not meet."""
        return self.intersection(Window(0, 0, height, width))

    def intersection(self, other: "Window") -> "Window":
        """Return the part in both windows; it is empty (0 pixels) where they do not meet."""
        row, col = max(self.row, other.row), max(self.col, other.col)
        bottom = min(self.row + self.height, other.row + other.height)
        right = min(self.col + self.width, other.col + other.width)
        return Window(row, col, max(0, bottom - row), max(0, right - col))

    def slices(self) -> tuple[slice, slice]:
        """Return (rows, cols) to index an array that holds the whole raster; the window must lie inside it."""
        return slice(self.row, self.row + self.height), slice(self.col, self.col + self.width)

    @property
    def empty(self) -> bool:
        """True where it holds no pixel."""
        return self.height == 0 or self.width == 0


def _starts(length: int, size: int, stride: int) -> Iterator[int]:
    """Yield where windows begin along one axis; the last one is shifted back inside."""
    if length <= size:
        yield 0
        return
    yield from range(0, length - size, stride)
    yield length - size


def grid(height: int, width: int, size: int, stride: int | None = None) -> list[Window]:
    """Return the windows that cover a raster, row by row.

    The last row and column are shifted back inside, so that every window is `size` x `size` wherever the
    raster is that large; a smaller raster gives windows of its own size.

    Args:
        height: rows of the raster, in pixels.
        width: columns of the raster, in pixels.
        size: side of a window, in pixels.
        stride: pixels from one window to the next; `size` (no overlap but in the last ones) where not given.

    Raises:
        ValueError: a size is not positive, or the stride would leave gaps.
    """
    step = size if stride is None else stride
    if min(height, width, size, step) < 1:
        raise ValueError(f"Grid sizes are at least 1 px, got raster {height} x {width}, size {size}, stride {step}.")
    if step > size:
        raise ValueError(f"A stride of {step} px leaves gaps between windows of {size} px. Use at most {size}.")
    tall, wide = min(size, height), min(size, width)
    return [Window(row, col, tall, wide) for row in _starts(height, size, step) for col in _starts(width, size, step)]


@dataclass(frozen=True, slots=True)
class Span:
    """Along one axis: what is read of the raster (start, length) into `out` pixels."""

    start: float
    length: float
    out: int


@dataclass(frozen=True, slots=True)
class Inside:
    """Along one axis: the spans of a window that lie inside the raster, one after the other, and what is padded."""

    before: int
    spans: tuple[Span, ...]
    after: int


# Products of a scale with a pixel's number are off by rounding; so little of a pixel is none.
SLIVER = 1e-6


def inside_span(start: int, length: int, raster: int, out: int) -> Inside | None:
    """Return the part of a window that lies inside the raster along one axis, or None.

    A pixel of the answer belongs to it where half of it lies inside. The edge of the raster may cut such a pixel: it is
    a span of its own, made of what there is, so that all others have the scale of the window to the last digit, and
    windows that overlap at the edge have the same pixels.
    """
    if start >= 0 and start + length <= raster:
        return Inside(0, (Span(start, length, out),), 0)
    scale = length / out
    low, high = -start / scale, (raster - start) / scale
    first, last = max(0, round(low)), min(out, round(high))
    if last <= first:
        return None
    whole_first = min(max(first, ceil(low - SLIVER)), last)
    whole_last = max(min(last, floor(high + SLIVER)), whole_first)
    edges = sorted({first, whole_first, whole_last, last})
    spans = []
    for here, there in pairwise(edges):
        west, east = max(0.0, start + here * scale), min(float(raster), start + there * scale)
        spans.append(Span(west, east - west, there - here))
    return Inside(first, tuple(spans), out - last)
