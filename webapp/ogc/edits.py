"""Writes of OGC API Features: a GeoJSON body and an If-Match header, turned into edits."""

from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db import transaction
from django.http import HttpRequest

from webapp.errors import Invalid, NotFound, PreconditionFailed, PreconditionRequired
from webapp.features.editing import apply_edits
from webapp.features.edits import NO_CLASS, EditRequest, EditResult
from webapp.features.geometry import check_geojson, to_geos
from webapp.features.models import Feature, FeatureLayer
from webapp.features.parsing import parse_json
from webapp.ogc.crs import check_content_crs
from webapp.ogc.selectors import SYSTEM_PROPERTIES
from webapp.projects.access import hold_role
from webapp.projects.models import Role, User

MEDIA = ("application/geo+json", "application/json", "application/merge-patch+json", "application/vnd.geo+json")
# So that an Idempotency-Key of one layer and person never meets that of another.
KEYS = UUID("5f1c9b0e-6d0a-4d3b-9e39-0b5b5bb9d0c4")


def create(*, layer: FeatureLayer, user: User, request: HttpRequest) -> UUID:
    """Return the id of the new feature.

    Raises:
        Invalid: the body is no feature that the layer takes.
    """
    body = _feature(request)
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= 200:
        raise Invalid(
            "The Idempotency-Key is empty or over 200 characters.", fix="Send a UUID.", code="idempotency_key"
        )
    op_id = uuid4() if key is None else uuid5(KEYS, f"{layer.pk}/{user.pk}/{key}")
    feature_id = uuid5(op_id, "feature")
    edit = EditRequest(op_id, "create", feature_id, **_content(body, whole=True))
    _apply(layer, user, edit)
    return feature_id


def replace(*, layer: FeatureLayer, feature_id: UUID, user: User, request: HttpRequest) -> None:
    """Replace geometry, class and properties.

    Raises:
        Invalid, NotFound, PreconditionRequired, PreconditionFailed: see `update`.
    """
    feature = _current(layer, feature_id, request)
    content = _content(_feature(request), whole=True)
    _apply(layer, user, EditRequest(uuid4(), "update", feature_id, feature.version, **content))


def update(*, layer: FeatureLayer, feature_id: UUID, user: User, request: HttpRequest) -> None:
    """Change what the body names (JSON merge patch: null removes a property).

    Raises:
        Invalid: the body is no such patch, or the layer does not take it.
        NotFound: there is no such feature.
        PreconditionRequired: no If-Match.
        PreconditionFailed: somebody else changed the feature since.
    """
    feature = _current(layer, feature_id, request)
    body = _feature(request, patch=True)
    content = _content(body, whole=False)
    changed = content.get("properties")
    if changed is not None:
        merged = {**feature.properties, **changed}
        content["properties"] = {name: value for name, value in merged.items() if value is not None}
    _apply(layer, user, EditRequest(uuid4(), "update", feature_id, feature.version, **content))


def delete(*, layer: FeatureLayer, feature_id: UUID, user: User, request: HttpRequest) -> None:
    """Delete a feature.

    Raises:
        NotFound, PreconditionRequired, PreconditionFailed: see `update`.
    """
    feature = _current(layer, feature_id, request)
    _apply(layer, user, EditRequest(uuid4(), "delete", feature_id, feature.version))


def _apply(layer: FeatureLayer, user: User, edit: EditRequest) -> None:
    with transaction.atomic():
        hold_role(user, layer.project, Role.LABELER)
        result = apply_edits(layer=layer, edits=[edit], user=user)[0]
    _done(result)


def _done(result: EditResult) -> None:
    if result.status == "ok":
        return
    error = result.error or {"code": "invalid", "message": "The edit was not taken.", "fix": ""}
    if result.status == "conflict":
        raise PreconditionFailed(error["message"], fix=error["fix"])
    if result.status == "gone":
        raise NotFound("feature")
    raise Invalid(error["message"], fix=error["fix"], code=error["code"])


def _current(layer: FeatureLayer, feature_id: UUID, request: HttpRequest) -> Feature:
    found = Feature.objects.filter(layer=layer, pk=feature_id, deleted=False).only("version", "properties").first()
    if found is None:
        raise NotFound("feature")
    given = request.headers.get("If-Match")
    if given is None:
        raise PreconditionRequired("The request has no If-Match.", fix="Send the ETag that the change is based on.")
    if given.strip() == "*":
        return found
    # The tag is "version.schema version"; only the feature's own version counts here. A weak tag never matches.
    versions = {
        tag.strip().strip('"').partition(".")[0] for tag in given[:2000].split(",") if tag.strip().startswith('"')
    }
    if str(found.version) not in versions:
        raise PreconditionFailed(
            f"The feature is at version {found.version} now.", fix="Read it again and merge your change."
        )
    return found


def _feature(request: HttpRequest, *, patch: bool = False) -> dict[str, Any]:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in MEDIA:
        raise Invalid(f"{kind!r:.60} is not taken here.", fix=f"Send {MEDIA[0]}.", code="media_type")
    check_content_crs(request.headers.get("Content-Crs"))
    body = parse_json(request.body)
    if not isinstance(body, dict) or (body.get("type") != "Feature" and not (patch and "type" not in body)):
        raise Invalid("The body is no GeoJSON feature.", fix='Send {"type": "Feature", …}.', code="not_a_feature")
    return body


def _content(body: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    """Return the content of an edit; `whole`: what is left out is emptied, not kept."""
    content: dict[str, Any] = {}
    if whole or "geometry" in body:
        verdict = check_geojson(body.get("geometry"))
        if verdict.geometry is None:
            raise Invalid(verdict.reason, fix=verdict.fix, code=verdict.code)
        content["geometry"] = to_geos(verdict.geometry)
    properties = body.get("properties")
    if properties is None and not whole:
        return content
    if properties is not None and not isinstance(properties, dict):
        raise Invalid("The properties are no object.", fix='Send {"name": value}.', code="properties")
    given = properties or {}
    if whole or "class_value" in given:
        content["class_value"] = _class_value(given.get("class_value"))
    content["properties"] = {name: value for name, value in given.items() if name not in SYSTEM_PROPERTIES}
    return content


def _class_value(value: Any) -> int:
    if value is None:
        return NO_CLASS
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise Invalid(f"{value!r:.40} is no class value.", fix="Send a whole number.", code="class_unknown")
    return value
