"""What follows from a list of scenes and a rule: the mosaic's file, and what its layer says of itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Polygon

from webapp.errors import Invalid
from webapp.imagery.models import ImageryLayer, Mosaic
from webapp.projects.models import Project

if TYPE_CHECKING:
    from webapp.raster.mosaic.document import Mosaic as Document
    from webapp.raster.mosaic.document import Rule
    from webapp.raster.mosaic.plan import Scene

# A mosaic's file and footprint are made while somebody waits.
MOST_SCENES = 1000
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Planned:
    """A mosaic to be stored.

    Attributes:
        document: what its analysis file says.
        fields: of its layer, by name.
    """

    document: "Document"
    fields: dict[str, Any]


def scenes_of(project: Project, ids: Sequence[UUID]) -> list[ImageryLayer]:
    """Return the scenes that a mosaic of the project is made of, in the given order.

    Raises:
        Invalid: none or too many, one twice, or one that is no finished scene of the project; the message names it.
    """
    if not 1 <= len(ids) <= MOST_SCENES:
        raise Invalid(f"A mosaic of {len(ids)} scenes is not made.", fix=f"Choose 1 to {MOST_SCENES} scenes.")
    found = {row.pk: row for row in ImageryLayer.objects.filter(project=project, pk__in=ids)}
    missing = [str(pk) for pk in ids if pk not in found]
    if missing:
        raise Invalid(
            f"There is no imagery {missing[0]} in this project.",
            fix="Choose scenes of the mosaic's own project.",
            code="scene_unknown",
            details={"scenes": missing},
        )
    if len(found) < len(ids):
        twice = next(pk for number, pk in enumerate(ids) if pk in ids[:number])
        raise Invalid(f"'{found[twice].name}' is in the list twice.", fix="Leave it out once.", code="scene_twice")
    for row in found.values():
        if row.kind != ImageryLayer.Kind.SCENE or row.state != ImageryLayer.State.READY or not row.analysis_path:
            raise Invalid(
                f"'{row.name}' is no finished scene.",
                fix="Choose scenes: class rasters and mosaics are not put together.",
                code="no_scene",
                details={"scene": str(row.pk)},
            )
    return [found[pk] for pk in ids]


def ordered(scenes: Sequence[ImageryLayer], rule: str) -> list[ImageryLayer]:
    """Return the scenes as they lie on each other, the topmost first."""
    if rule != Mosaic.Rule.NEWEST:
        return list(scenes)
    # Sorting keeps the list's order among those of one moment, and those without one come last.
    return sorted(scenes, key=lambda row: row.acquired_at or LONG_AGO, reverse=True)


def planned(scenes: Sequence[ImageryLayer], rule: str) -> Planned:
    """Return the mosaic of scenes.

    Args:
        scenes: of `scenes_of`.
        rule: one of `Mosaic.Rule`.

    Raises:
        Invalid: scenes that do not fit together; the message names the first that does not.
        BadRaster: the mosaic lies wholly outside Web Mercator.
    """
    # GDAL is loaded by the first who needs it, not by every process that only shows pages.
    from webapp.raster.display import display_grid
    from webapp.raster.mosaic.plan import plan

    stacked = ordered(scenes, rule)
    names = [str(band["name"]) for band in stacked[0].bands]
    statistics = _statistics(stacked) if _fit(stacked) else None
    rendering = _rendering(stacked, statistics)
    document = plan([_scene(row, rendering, rule) for row in stacked], _blend(rule))
    bands = [
        {"name": name, **(statistics[number] if statistics else {})}
        for number, name in enumerate(document.bands or names)
    ]
    place = display_grid(
        crs_wkt=document.crs_wkt,
        transform=_affine(document.transform),
        height=document.height,
        width=document.width,
    )
    return Planned(
        document,
        {
            "crs_wkt": document.crs_wkt,
            "epsg": document.epsg,
            "height": document.height,
            "width": document.width,
            "transform": list(document.transform),
            "gsd_m": min(row.gsd_m for row in stacked),
            "dtype": document.dtype,
            "nodata": None,
            "bands": bands,
            "rendering": rendering,
            "footprint": _footprint(stacked),
            "min_zoom": max(0, place.zoom - place.levels - 2),
            "max_zoom": place.zoom,
            "position_assumed": any(row.position_assumed for row in stacked),
            "attribution": credit_of(stacked),
        },
    )


def _blend(rule: str) -> "Rule":
    blends: dict[str, Rule] = {"mean": "mean", "highest": "highest", "lowest": "lowest"}
    return blends.get(rule, "first")


def _affine(transform: tuple[float, ...]) -> Any:
    from affine import Affine

    return Affine(*transform)


def _scene(row: ImageryLayer, rendering: dict[str, Any], rule: str) -> "Scene":
    from webapp.raster.mosaic.plan import Scene

    a, b, c, d, e, f = (float(number) for number in row.transform)
    # A mean of what was cut at both ends is not the mean, cut.
    alike = _same_look(row.rendering, rendering) and (rule != Mosaic.Rule.MEAN or not rendering.get("stretch"))
    return Scene(
        key=str(row.pk),
        name=row.name,
        path=row.analysis_path,
        display=row.display_path if alike else "",
        crs_wkt=row.crs_wkt,
        epsg=row.epsg,
        transform=(a, b, c, d, e, f),
        height=row.height,
        width=row.width,
        dtype=row.dtype,
        bands=tuple(str(band["name"]) for band in row.bands),
    )


def _fit(scenes: Sequence[ImageryLayer]) -> bool:
    return all(len(row.bands) == len(scenes[0].bands) for row in scenes)


def _statistics(scenes: Sequence[ImageryLayer]) -> list[dict[str, Any]] | None:
    """Return each band's statistics over all scenes; None where one has none, of an old ingest."""
    from webapp.raster.mosaic.statistics import pooled
    from webapp.raster.statistics import sampling_step

    if not all("histogram" in band and "mean" in band for row in scenes for band in row.bands):
        return None
    steps = [sampling_step(row.dtype, row.height * row.width) for row in scenes]
    return [pooled([row.bands[band] for row in scenes], steps) for band in range(len(scenes[0].bands))]


def _rendering(scenes: Sequence[ImageryLayer], statistics: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Return the mosaic's own look: the scenes' where all have the same, else one stretch over all of them."""
    first = scenes[0].rendering
    if all(_same_look(row.rendering, first) for row in scenes) or statistics is None:
        return dict(first)
    bands = [int(band) for band in first.get("bands") or [1]]
    ranges = [[statistics[band - 1]["p2"], statistics[band - 1]["p98"]] for band in bands]
    return {"bands": bands, "stretch": [[low, high if high > low else low + 1] for low, high in ranges]}


def _same_look(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.get("bands") == other.get("bands") and (one.get("stretch") or None) == (other.get("stretch") or None)


def _footprint(scenes: Sequence[ImageryLayer]) -> MultiPolygon | None:
    shapes = [shapely.from_wkb(bytes(row.footprint.wkb)) for row in scenes if row.footprint is not None]
    if not shapes:
        return None
    whole = shapely.union_all([shapely.make_valid(shape) for shape in shapes])
    parts = [part for part in shapely.get_parts(whole) if part.geom_type == "Polygon"]
    polygons = [GEOSGeometry(part.wkt, srid=4326) for part in parts]
    return MultiPolygon([polygon for polygon in polygons if isinstance(polygon, Polygon)], srid=4326)


def credit_of(scenes: Sequence[ImageryLayer]) -> str:
    """Return whose imagery scenes are, each owner once."""
    return "; ".join(dict.fromkeys(row.attribution for row in scenes if row.attribution))[:500]
