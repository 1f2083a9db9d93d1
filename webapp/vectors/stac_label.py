"""STAC items with the label extension 1.0.1 (https://github.com/stac-extensions/label): an item and its GeoJSON."""

import json
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import shapely
from shapely.geometry import box, mapping

from webapp.errors import BadVectors
from webapp.vectors import geojson_rows, origin
from webapp.vectors.ogr_write import packed
from webapp.vectors.table import CLASS_NAME, Table, Task

EXTENSION = "https://stac-extensions.github.io/label/v1.0.1/schema.json"
MAX_ITEM_BYTES = 4 << 20
FIX = "Zip the item's .json together with the GeoJSON that its asset 'labels' names."


def items(files: list[Path]) -> list[Path]:
    """Return which files are STAC items."""
    return [path for path in files if path.suffix.lower() == ".json" and _item(path) is not None]


def tables(files: list[Path]) -> list[Table]:
    """Return one table for each label item of an unpacked zip.

    Raises:
        BadVectors: an item's labels are not in the zip.
    """
    found: list[Table] = []
    for path in items(files):
        item = _item(path) or {}
        labels = _labels(path, item, files)
        table = geojson_rows.tables(labels)[0]
        names = item.get("properties", {}).get("label:properties") or []
        field = str(names[0]) if isinstance(names, list) and names else ""
        found.append(Table(str(item.get("id", path.stem)), table.rows, table.crs, field))
    if not found:
        raise BadVectors("The zip file holds no STAC item.", fix=FIX, code="no_features")
    return found


def _item(path: Path) -> dict[str, Any] | None:
    if path.stat().st_size > MAX_ITEM_BYTES:
        return None
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    fits = isinstance(found, dict) and found.get("type") == "Feature" and "stac_version" in found
    return found if fits and isinstance(found.get("properties"), dict) else None


def _labels(path: Path, item: dict[str, Any], files: list[Path]) -> Path:
    assets = item.get("assets")
    given = assets if isinstance(assets, dict) else {}
    by_role = [asset for asset in given.values() if isinstance(asset, dict) and "labels" in (asset.get("roles") or [])]
    asset = given.get("labels") or (by_role[0] if by_role else None)
    href = str(asset.get("href", "")) if isinstance(asset, dict) else ""
    # Only by name, among what came with it: an address is never followed.
    wanted = PurePosixPath(href.split("?")[0]).name
    for other in files:
        if other.name == wanted and other != path and wanted:
            return other
    raise BadVectors(f"The labels '{wanted[:80]}' of the item are not in the zip.", fix=FIX, code="labels_missing")


def write(task: Task) -> Path:
    """Return a zip of the item and its labels."""
    labels = geojson_rows.write(task)
    geojson = labels.rename(labels.with_name("labels.geojson"))
    shapes = [sample.geometry.bounds for sample in task.samples()]
    edges = np.asarray(shapes or [(0.0, 0.0, 0.0, 0.0)])
    bbox = [*edges[:, :2].min(axis=0).tolist(), *edges[:, 2:].max(axis=0).tolist()]
    counts: dict[str, int] = {}
    for sample in task.samples():
        if sample.class_name is not None:
            counts[sample.class_name] = counts.get(sample.class_name, 0) + 1
    item = {
        "type": "Feature", "stac_version": "1.0.0", "stac_extensions": [EXTENSION], "id": task.stem,
        "geometry": mapping(box(*bbox)) if shapely.box(*bbox).area else None, "bbox": bbox,
        "properties": _properties(task, counts),
        "links": [{"rel": "source", "href": f"./{task.grid.stem}.tif", "label:assets": ["data"]}] if task.grid else [],
        "assets": {
            "labels": {
                "href": "./labels.geojson", "type": "application/geo+json", "title": task.name, "roles": ["labels"],
            }
        },
    }  # fmt: skip
    path = task.folder / "item.json"
    path.write_text(json.dumps(item, ensure_ascii=False, indent=1), encoding="utf-8")
    return packed(task.folder / f"{task.stem}-stac.zip", [path, geojson])


def _properties(task: Task, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "datetime": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        **task.of_imagery,
        "title": task.name,
        "description": f"{task.name}. {task.attribution}".strip(),
        "label:type": "vector",
        "label:properties": [CLASS_NAME],
        "label:tasks": ["detection"],
        "label:methods": ["manual"],
        "label:description": task.name,
        "label:classes": [{"name": CLASS_NAME, "classes": [item.name for item in task.classes]}],
        "label:overviews": [
            {"property_key": CLASS_NAME, "counts": [{"name": name, "count": n} for name, n in counts.items()]}
        ],
        **origin.members(task),
    }
