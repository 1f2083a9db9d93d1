"""The job that gives a mosaic its overview: what is seen from far away opens one file and not hundreds."""

import shutil
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from webapp import doorbell
from webapp.errors import NotFound
from webapp.imagery import drawing, storage
from webapp.imagery.models import ImageryLayer, Mosaic
from webapp.imagery.mosaics import keep_document
from webapp.imagery.selectors import analysis_file
from webapp.jobs.context import JobCancelled, JobContext
from webapp.raster.display import write_display_cog
from webapp.raster.mosaic.document import Overview
from webapp.raster.mosaic.overview import factor_of, write_overview
from webapp.raster.mosaic.reader import MosaicReader
from webapp.raster.readers import kept_reader
from webapp.raster.render import Rendering


def make_overview(context: JobContext) -> dict[str, Any]:
    """Write a mosaic's overview and its map tiles for low zooms, and put both in place as its next version.

    Spec: `{"imagery": id, "version": n}`. Result: `{"imagery", "url", "name", "factor"}`. Where the mosaic has
    changed since, another job is at work on it and this one ends.

    Raises:
        NotFound: the mosaic was deleted.
        BadRaster: a scene's file is missing or damaged.
    """
    layer = ImageryLayer.objects.filter(pk=UUID(context.spec["imagery"])).select_related("mosaic").first()
    if layer is None:
        raise NotFound("mosaic")
    result = {"imagery": str(layer.pk), "url": f"/imagery/{layer.pk}/", "name": layer.name}
    if layer.version != context.spec["version"] or layer.state == ImageryLayer.State.READY:
        return result
    out = context.scratch / "overview"
    # What a former attempt left half-written is begun anew.
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    reader = MosaicReader(analysis_file(layer), kept_reader)
    factor = factor_of(reader.mosaic)
    threads = max(1, settings.COMPUTE_THREADS or 2)

    def progress(first: float, share: float) -> Any:
        return lambda done, message: context.progress(first + share * done, message)

    write_overview(reader, out / "overview.tif", factor, progress=progress(0.0, 0.45), threads=threads)
    place = write_display_cog(
        out / "overview.tif", out / "display.tif", _look(layer), progress=progress(0.45, 0.5), threads=threads
    )
    context.progress(0.96, "Storing the files")
    size_bytes = sum((out / name).stat().st_size for name in ("overview.tif", "display.tif"))
    overview, display = storage.keep(out / "overview.tif"), storage.keep(out / "display.tif")
    document = keep_document(replace(reader.mosaic, overview=Overview(overview, factor)).dumps())
    try:
        with transaction.atomic():
            # The layer before the job, as whoever changes the mosaic locks them.
            ImageryLayer.objects.select_for_update(of=("self",)).filter(pk=layer.pk).first()
            with context.publish() as job:
                placed = ImageryLayer.objects.filter(pk=layer.pk, version=layer.version).update(
                    state=ImageryLayer.State.READY,
                    analysis_path=document,
                    display_path=display,
                    size_bytes=size_bytes,
                    max_zoom=max(layer.max_zoom, place.zoom),
                    version=F("version") + 1,
                    updated_at=timezone.now(),
                )
                if placed:
                    Mosaic.objects.filter(layer=layer).update(overview_path=overview)
                    doorbell.ring(f"imagery:{layer.pk}", layer.version + 1)
                job.result = told = {**result, "factor": factor}
    except JobCancelled:
        storage.drop_unnamed(overview, display, document)
        raise
    return told


def _look(layer: ImageryLayer) -> Rendering:
    defaults = drawing.draw_source(layer).defaults
    return Rendering(defaults.bands, defaults.stretch)
