"""How much of a class raster each class covers."""

from typing import Any

from webapp.imagery.models import ImageryLayer


def class_areas(layer: ImageryLayer) -> list[dict[str, Any]]:
    """Return the classes as `[{value, name, colour, count, area_m2, share}]`, and with value 0 what has no class.

    Counts are of pixels, counted when the raster was finished; without them (it grows, or is older) the classes
    come bare. Areas take each pixel as large as the one at the raster's centre. Shares are of all pixels with data.
    """
    counts = layer.bands[0].get("histogram", {}).get("counts") if layer.bands else None
    if counts is None:
        return list(layer.classes)
    rows = list(layer.classes)
    if counts[0] and all(int(item["value"]) != 0 for item in rows):
        rows.append({"value": 0, "name": "No class", "colour": ""})
    total = sum(counts)
    return [{**item, **_covered(counts[int(item["value"])], total, layer.gsd_m)} for item in rows]


def _covered(count: int, total: int, pixel_m: float) -> dict[str, Any]:
    return {"count": count, "area_m2": count * pixel_m**2, "share": count / total if total else 0.0}
