"""Layers whose file stays on another server: is it still the one that was added, and taking up the one it is now."""

from typing import Any

from django.db import transaction

from webapp.errors import BadRaster, Conflict, Invalid, SourceFailed
from webapp.imagery import remote, services, storage
from webapp.imagery.models import ImageryLayer
from webapp.imagery.selectors import analysis_file
from webapp.remote import files
from webapp.remote.pinned import Pinned

# What stands on a layer (samples, training data, inferences) counts in its pixels and bands.
FIXED = ("height", "width", "transform", "crs_wkt", "dtype")


def state_of(layer: ImageryLayer) -> dict[str, Any]:
    """Return `{state, message, fix}` of the layer's file: same, changed or unreachable; asked of its server now.

    Raises:
        Invalid: the layer's file lies here.
    """
    pinned = _pinned(layer)
    try:
        now = files.look(pinned.url)
    except (SourceFailed, Invalid) as error:
        return {"state": "unreachable", "message": error.message, "fix": error.fix}
    if now != pinned:
        other = files.changed(pinned)
        return {"state": "changed", "message": other.message, "fix": other.fix}
    unsure = (
        "" if pinned.certain else "Its server does not mark its files: a change that keeps the size goes unnoticed."
    )
    return {"state": "same", "message": unsure, "fix": ""}


def read_again(*, layer: ImageryLayer) -> ImageryLayer:
    """Return the layer on its file as it is on its server now; every map draws it anew.

    Raises:
        Invalid: the layer's file lies here.
        Conflict: the file has become another scene.
        SourceFailed: the server does not give it.
    """
    pinned = _pinned(layer)
    found = remote.scene(pinned.url)
    if found.facts is None:
        assert found.problem is not None
        raise found.problem
    facts = found.facts
    other = [name for name in FIXED if facts[name] != getattr(layer, name)]
    if other or len(facts["bands"]) != len(layer.bands):
        raise Conflict(
            f"'{pinned.name}' has become another scene: it differs in {', '.join(other) or 'its bands'}.",
            fix="Add it as a new layer; what stands on this one keeps its pixels and bands.",
            code="scene_differs",
        )
    before, path = layer.analysis_path, remote.keep(found.pinned)
    names = [str(band["name"]) for band in layer.bands]
    with transaction.atomic():
        locked = ImageryLayer.objects.select_for_update(of=("self",)).get(pk=layer.pk)
        locked.analysis_path, locked.size_bytes = path, found.pinned.size_bytes
        locked.remote = {**remote.described(found.pinned), "item": layer.remote.get("item", "")}
        locked.bands = [band | {"name": name} for band, name in zip(facts["bands"], names, strict=True)]
        locked.nodata, locked.footprint = facts["nodata"], services.multipolygon(facts["footprint"])
        locked.save(
            update_fields=["analysis_path", "size_bytes", "remote", "bands", "nodata", "footprint", "updated_at"]
        )
        services.bump(locked)
        if before != path:
            transaction.on_commit(lambda: storage.drop_unnamed(before))
    return locked


def _pinned(layer: ImageryLayer) -> Pinned:
    from webapp.raster import remote as manifests

    path = analysis_file(layer)
    if not layer.remote or not manifests.is_remote(path):
        raise Invalid("The layer's file lies here.", fix="Nothing is to be done.", code="not_remote")
    try:
        return manifests.read(path)
    except BadRaster as error:
        raise Conflict(error.message, fix=error.fix) from error
