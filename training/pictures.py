"""Pictures of chips: the image stretched for the eye, true and predicted classes or boxes drawn over it."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from training.formats import ClassName, rgb

# Share of the class colour over the image.
OVERLAY = 0.5
LARGEST_PX = 512


def picture(array: NDArray[Any], valid: NDArray[np.bool_]) -> Image.Image:
    """Return a chip for the eye: the first three bands (or one as grey), stretched from the 2nd to 98th percentile.

    Args:
        array: (band, row, col) in raw units. 8-bit chips are shown as they are.
        valid: bool (row, col); other pixels are mid-grey.
    """
    shown = array[:3] if array.shape[0] >= 3 else np.repeat(array[:1], 3, axis=0)
    if shown.dtype != np.uint8:
        shown = np.stack([stretched(band, valid) for band in shown])
    pixels = np.where(valid, shown, 128).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def stretched(band: NDArray[Any], valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return a band from 0 to 255, its darkest and brightest 2 % clipped."""
    known = band[valid]
    low, high = np.percentile(known, [2, 98]) if known.size else (0.0, 1.0)
    scaled = (band.astype(np.float64) - low) / max(high - low, 1e-9) * 255
    result: NDArray[np.uint8] = np.nan_to_num(np.clip(scaled, 0, 255)).astype(np.uint8)
    return result


def with_classes(image: Image.Image, indexes: NDArray[Any], classes: Sequence[ClassName]) -> Image.Image:
    """Return the image with class indexes (row, col; 0 background) laid over it in their colours."""
    pixels = np.asarray(image).astype(np.float32)
    for index, entry in enumerate(classes, start=1):
        here = indexes == index
        pixels[here] = pixels[here] * (1 - OVERLAY) + np.array(rgb(entry.colour)) * OVERLAY
    return Image.fromarray(pixels.astype(np.uint8))


def with_boxes(
    image: Image.Image, boxes: NDArray[Any], labels: NDArray[Any], classes: Sequence[ClassName]
) -> Image.Image:
    """Return the image with boxes (m, 4) xyxy drawn in the colours of their labels (0-based)."""
    drawn = image.copy()
    pen = ImageDraw.Draw(drawn)
    for corners, label in zip(boxes, labels, strict=True):
        xmin, ymin, xmax, ymax = (float(corner) for corner in corners)
        pen.rectangle(
            (xmin, ymin, max(xmin, xmax - 1), max(ymin, ymax - 1)), outline=rgb(classes[label].colour), width=2
        )
    return drawn


def png(image: Image.Image) -> bytes:
    """Return the image as PNG, at most `LARGEST_PX` wide and high."""
    image.thumbnail((LARGEST_PX, LARGEST_PX))
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
