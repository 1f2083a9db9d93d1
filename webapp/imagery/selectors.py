"""Reads of imagery layers and uploads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from webapp.errors import NotFound
from webapp.imagery import far
from webapp.imagery.models import ImageryLayer, Upload
from webapp.projects.models import Project
from webapp.projects.signing import layer_token

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class TileSource:
    """What the tile edge needs of a layer.

    Attributes:
        version: of its pixels.
        display: absolute path of the display file; None while a class raster is building.
        blocks: absolute path of the block folder of one that is building.
        mosaic: absolute path of a mosaic's file; `display` is then its overview, None while that is made.
        palette: class value -> "#rrggbb" of a class raster; else None.
        max_zoom: zoom of its full resolution.
        far: its pixels lie on another server, which may be slow.
    """

    version: int
    display: Path | None
    blocks: Path | None
    palette: dict[int, str] | None
    max_zoom: int
    mosaic: Path | None = None
    far: bool = False


def layer(pk: UUID) -> ImageryLayer:
    """Return a layer with its project.

    Raises:
        NotFound: there is none.
    """
    found = ImageryLayer.objects.select_related("project").filter(pk=pk).first()
    if found is None:
        raise NotFound("imagery layer")
    return found


def layers(projects: "QuerySet[Project]") -> "QuerySet[ImageryLayer]":
    """Return the layers of some projects, newest first."""
    return ImageryLayer.objects.filter(project__in=projects).order_by("-created_at", "-id")


def upload(pk: UUID) -> Upload:
    """Return an upload with its project.

    Raises:
        NotFound: there is none, or it has ended and was removed.
    """
    found = Upload.objects.select_related("project").filter(pk=pk).first()
    if found is None:
        raise NotFound("upload")
    return found


def uploads(projects: "QuerySet[Project]", user_id: int) -> "QuerySet[Upload]":
    """Return the user's unfinished uploads, newest first."""
    return Upload.objects.filter(project__in=projects, user_id=user_id, state=Upload.State.RECEIVING)


def analysis_file(layer: ImageryLayer) -> Path:
    """Return the absolute path of the layer's analysis file."""
    return Path(settings.MEDIA_DIR) / layer.analysis_path


def tile_source(pk: UUID) -> TileSource | None:
    """Return what the tiles of a layer come from, in one query; None where there is no such layer."""
    row = (
        ImageryLayer.objects.filter(pk=pk)
        .values_list("version", "display_path", "blocks_path", "classes", "kind", "max_zoom", "analysis_path")
        .first()
    )
    if row is None:
        return None
    version, display, blocks, classes, kind, max_zoom, analysis = row
    palette = None
    if kind == ImageryLayer.Kind.CLASS_RASTER:
        palette = {int(item["value"]): str(item["colour"]) for item in classes}
    return TileSource(
        version=version,
        display=Path(settings.MEDIA_DIR) / display if display else None,
        blocks=Path(settings.SCRATCH_DIR) / blocks if blocks and not display else None,
        palette=palette,
        max_zoom=max_zoom,
        mosaic=Path(settings.MEDIA_DIR) / analysis if kind == ImageryLayer.Kind.MOSAIC else None,
        far=bool(analysis) and far.is_far(Path(settings.MEDIA_DIR) / analysis),
    )


def tiles_url(layer: ImageryLayer) -> str:
    """Return the XYZ template of the layer's tiles; its token lasts 12 to 24 hours."""
    form = "png" if layer.kind == ImageryLayer.Kind.CLASS_RASTER else "webp"
    token = layer_token("imagery", layer.pk)
    return f"/tiles/imagery/{layer.pk}/{layer.version}/{{z}}/{{x}}/{{y}}.{form}?t={token}"


# Where a layer comes from is its members' business: maps are shown to anybody.
_ORIGIN = ("remote", "job")


def drawn_json(layer: ImageryLayer) -> dict[str, Any]:
    """Return what a map needs to draw the layer, and nothing of where it comes from."""
    return {key: value for key, value in layer_json(layer).items() if key not in _ORIGIN}


def layer_json(layer: ImageryLayer, *, histograms: bool = False) -> dict[str, Any]:
    """Return what every page and client needs to show the layer; histograms only where they are drawn."""
    bands = layer.bands
    if not histograms:
        bands = [{key: value for key, value in band.items() if key != "histogram"} for band in bands]
    return {
        "id": str(layer.pk),
        "project": str(layer.project_id),
        "name": layer.name,
        "description": layer.description,
        "kind": layer.kind,
        "state": layer.state,
        "version": layer.version,
        "attribution": layer.attribution,
        "width": layer.width,
        "height": layer.height,
        "epsg": layer.epsg,
        "gsd_m": layer.gsd_m,
        "dtype": layer.dtype,
        "nodata": layer.nodata,
        "size_bytes": layer.size_bytes,
        "remote": layer.remote or None,
        "bands": bands,
        "classes": layer.classes,
        "rendering": layer.rendering,
        "bounds": onward(box_of(layer)) if layer.footprint else None,
        "footprint": _geojson(layer),
        "min_zoom": layer.min_zoom,
        "max_zoom": layer.max_zoom,
        "position_assumed": layer.position_assumed,
        "position_note": layer.position_note,
        "acquired_at": date_of(layer),
        "tiles": tiles_url(layer),
        "tilejson": f"/api/imagery/{layer.pk}/tilejson.json",
        "url": f"/imagery/{layer.pk}/",
        "created_at": layer.created_at.isoformat(),
        "job": str(layer.job_id) if layer.job_id else None,
    }


def date_of(layer: ImageryLayer) -> str | None:
    """Return when the picture was taken, ISO 8601; None where nobody said."""
    return layer.acquired_at.isoformat() if layer.acquired_at else None


def box_of(layer: ImageryLayer) -> Bounds:
    """Return (west, south, east, north) in degrees; west > east where the layer crosses the antimeridian."""
    assert layer.footprint is not None
    west, south, east, north = layer.footprint.extent
    if west <= -180 and east >= 180:
        parts = [part.extent for part in layer.footprint]
        eastern = [part[0] for part in parts if part[0] >= 0]
        western = [part[2] for part in parts if part[2] <= 0]
        if len(eastern) + len(western) == len(parts) and eastern and western:
            return min(eastern), south, max(western), north
    return west, south, east, north


def onward(box: Bounds) -> list[float]:
    """Return the box with longitudes counted on beyond 180 where it crosses the antimeridian: one box on a map."""
    west, south, east, north = box
    return [west, south, east + 360.0 if west > east else east, north]


def middle(box: Bounds) -> tuple[float, float]:
    """Return (lon, lat) of the middle of a box that may cross the antimeridian."""
    west, south, east, north = onward(box)
    lon = (west + east) / 2
    return lon - 360.0 if lon > 180 else lon, (south + north) / 2


def tilejson(layer: ImageryLayer, origin: str) -> dict[str, Any]:
    """Return the layer as TileJSON 3.0.0, with absolute URLs.

    Its bounds must stay within 180 degrees and not wrap: a layer across the antimeridian has all longitudes, and the
    centre says where to look.
    """
    bounds = layer.footprint.extent if layer.footprint else (-180.0, -85.0511, 180.0, 85.0511)
    lon, lat = middle(box_of(layer) if layer.footprint else bounds)
    return {
        "tilejson": "3.0.0",
        "name": layer.name,
        "attribution": layer.attribution,
        "scheme": "xyz",
        "tiles": [origin + tiles_url(layer)],
        "minzoom": layer.min_zoom,
        "maxzoom": layer.max_zoom,
        "bounds": list(bounds),
        "center": [lon, lat, layer.min_zoom],
        "version": f"{layer.version}.0.0",
    }


def mosaic_json(layer: ImageryLayer) -> dict[str, Any]:
    """Return a mosaic's rule and scenes in the order of its list."""
    rows = layer.scenes.select_related("scene").order_by("position")
    return {
        "rule": layer.mosaic.rule,
        "state": layer.state,
        "version": layer.version,
        "scenes": [scene_json(row.scene) for row in rows],
        "mosaicjson": f"/api/imagery/{layer.pk}/mosaic.json",
    }


def scene_json(scene: ImageryLayer) -> dict[str, Any]:
    """Return what a list of scenes tells of one."""
    return {
        "id": str(scene.pk),
        "name": scene.name,
        "url": scene.get_absolute_url(),
        "acquired_at": scene.acquired_at.isoformat() if scene.acquired_at else None,
        "gsd_m": scene.gsd_m,
        "epsg": scene.epsg,
        "bounds": onward(box_of(scene)) if scene.footprint else None,
        "footprint": _geojson(scene),
    }


def upload_json(upload: Upload, *, chunk_bytes: int) -> dict[str, Any]:
    """Return how far an upload is."""
    return {
        "id": str(upload.pk),
        "project": str(upload.project_id),
        "filename": upload.filename,
        "size_bytes": upload.size_bytes,
        "received_bytes": upload.received_bytes,
        "chunk_bytes": chunk_bytes,
        "state": upload.state,
        "job": str(upload.job_id) if upload.job_id else None,
        "layer": str(upload.layer_id) if upload.layer_id else None,
    }


def _geojson(layer: ImageryLayer) -> dict[str, Any] | None:
    if layer.footprint is None:
        return None
    return {"type": "MultiPolygon", "coordinates": layer.footprint.coords}
