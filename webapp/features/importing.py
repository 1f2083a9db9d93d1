"""GeoJSON into a layer: fields and classes mapped, geometry mended by rule, everything skipped reported."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import shapely
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from webapp.disk import check_room, take_body
from webapp.errors import Conflict, Invalid, QuadratError, TooLarge
from webapp.features import bulk, services
from webapp.features.geometry import MAX_VERTICES_IMPORTED, check_geojson
from webapp.features.import_report import REPORTED, Report, id_of
from webapp.features.models import Feature, FeatureClass, FeatureLayer
from webapp.features.numbering import lock
from webapp.features.schema import (
    MAX_CLASS_VALUE,
    MAX_NAME,
    ClassSpec,
    check_properties,
    check_shape_of_class,
    storable,
)
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.jobs.restarts import inputs_gone
from webapp.projects.access import hold_role
from webapp.projects.models import Role, User
from webapp.vectors.geojson import GeoJsonReader, Readable
from webapp.vectors.table import class_key

# A body up to this size is imported at once, in a second or two; a larger one by a job.
DIRECT_BYTES = 2 << 20
MAX_BYTES = 1 << 30
# Names under which our own export keeps what is not a property.
RESERVED = ("class_value", "class_name", "score", "source", "verified")
# How formats that know no booleans write the "verified" of what nobody has checked.
UNCHECKED = (False, "false", "False")
# What the class map may say besides a class value.
NEW_CLASS, NO_CLASS, SKIP = "new", "none", "skip"
PALETTE = ("#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#66a61e", "#e6ab02", "#a6761d", "#1f78b4", "#b2df8a", "#666666")


@dataclass(frozen=True)
class Options:
    """How a file is read into a layer.

    Attributes:
        class_property: the property that names the class (by value or name); "": class_value, then class_name.
        class_value: of features without one; 0: the layer's only class, or none.
        add_classes: make classes for names that the schema lacks; otherwise such features are skipped.
        verified: a person drew or checked what is in the file, but for features that say otherwise themselves (as our
            exports do); the others are suggestions to review.
        class_map: text that the file uses for a class -> class value, "new" (a class of that name), "none" or "skip".
        fields: property of the file -> name that it gets here; "" leaves it out; others keep theirs.
    """

    class_property: str = ""
    class_value: int = 0
    add_classes: bool = False
    verified: bool = True
    class_map: dict[str, int | str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


def parse_options(query: dict[str, str], layer: FeatureLayer) -> Options:
    """Return the options of a query string.

    Raises:
        Invalid: a class value that the layer has not, or a switch that is neither 0 nor 1.
    """
    value = query.get("class_value", "0")
    if not value.isdigit() or (
        value != "0" and not FeatureClass.objects.filter(layer=layer, value=int(value[:9])).exists()
    ):
        raise Invalid(f"The layer has no class {value[:20]}.", fix="Add it first.", code="class_unknown")
    for name in ("add_classes", "verified"):
        if query.get(name, "0") not in ("0", "1"):
            raise Invalid(f"{name} is neither 0 nor 1.", fix="Send 0 or 1.")
    return Options(
        class_property=query.get("class_property", "")[:MAX_NAME],
        class_value=int(value),
        add_classes=query.get("add_classes") == "1",
        verified=query.get("verified", "1") == "1",
    )


def refuse_corner(layer: FeatureLayer) -> None:
    """Refuse files for a layer in somebody's own corner of a project: what it holds is drawn by hand, task by task.

    Raises:
        Conflict: it lies in one.
    """
    if layer.project.corner_of_id is not None:
        raise Conflict("Samples are drawn here, not imported.", fix="Draw within your task.", code="sheet")


def receive(*, layer: FeatureLayer, stream: HttpRequest, options: Options, user: User) -> dict[str, Any]:
    """Return the report of a small import, or {"job": id} of a large one.

    Raises:
        Invalid: the body is empty or no GeoJSON.
        TooLarge: over 1 GiB.
        StorageFull: the disk has no room for it.
        Conflict: the layer lies in somebody's own corner of a project.
        NotFound, Denied: the user's role was taken away while the file came.
    """
    refuse_corner(layer)
    length = int(stream.META.get("CONTENT_LENGTH") or 0)
    if length == 0:
        raise Invalid("The body is empty.", fix="Send the GeoJSON file as the body.", code="empty")
    if length > MAX_BYTES:
        raise TooLarge("The file is over 1 GiB.", fix="Split it.", details={"limit": MAX_BYTES})
    check_room(length)
    if length <= DIRECT_BYTES:
        body = BytesIO(stream.read())  # as a whole, before: somebody whose body comes slowly holds nothing
        with transaction.atomic():
            hold_role(user, layer.project, Role.LABELER)
            return import_now(layer=layer, stream=body, options=options, user=user).as_json()
    path = Path(settings.QUARANTINE_DIR) / f"import-{uuid4()}.geojson"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        take_body(stream, path, length=length)
        with transaction.atomic():
            hold_role(user, layer.project, Role.LABELER)
            job = jobs.enqueue(
                project=layer.project,
                kind="import_features",
                spec={"layer": str(layer.pk), "path": path.name, "options": asdict(options), "user": user.pk},
                user=user,
                title=f"Import into {layer.name}",
                lane="light",
            )
    except BaseException:  # broken off, the disk is full, too many jobs: nobody would ever read it
        path.unlink(missing_ok=True)
        raise
    return {"job": str(job.pk)}


def run_again(old: Job, new: Job) -> None:
    """Make sure that a failed import can be run again.

    Raises:
        Conflict: the layer or the uploaded file is gone.
    """
    if not FeatureLayer.objects.filter(pk=old.spec["layer"]).exists():
        raise inputs_gone("The layer", "Import into another one.")
    if not (Path(settings.QUARANTINE_DIR) / old.spec["path"]).exists():
        raise inputs_gone("The uploaded file", "Import it again.")


def import_now(*, layer: FeatureLayer, stream: Readable, options: Options, user: User | None) -> Report:
    """Return the report after adding the features of a GeoJSON stream, all or none.

    Raises:
        Invalid, TooLarge: the file as a whole cannot be read; single features are skipped and reported.
    """
    report, namespace = Report(), uuid4()
    with transaction.atomic():
        lines = Importer(layer, options, report, namespace=namespace, user=user).lines(stream)
        report.added = bulk.add_lines(layer=layer, lines=lines, user=user, leave_out=report.refuse)
    return report


class Importer:
    """Turns one file into rows for the layer, filling the report."""

    def __init__(
        self, layer: FeatureLayer, options: Options, report: Report, *, namespace: UUID, user: User | None
    ) -> None:
        self._layer, self._options, self._report, self._user = layer, options, report, user
        # The same file imported by the same job gives the same ids, so that it is never there twice.
        self._namespace = namespace
        self._know_classes()
        self._fields = {item["name"] for item in layer.fields}

    def lines(self, stream: Readable, check: Callable[[int], None] = lambda count: None) -> Iterator[str]:
        """Yield one line of COPY for each feature that can be stored; `check(count)` is called for each seen."""
        reader = GeoJsonReader(stream)
        project = None
        for index, item in enumerate(reader):
            check(index)
            if index == 0:
                project = self._projection(reader.members.get("crs"))
            try:
                feature = self._feature(index, item, project)
            except QuadratError as error:
                self._report.skip(index, error.code, error.message)
                continue
            yield bulk.copy_line(feature, self._values)
        late = reader.members.get("crs") if project is None else None
        if late is not None and self._projection(late) is not None:
            raise Invalid(
                "The file names its CRS behind the features.", fix="Write it as EPSG:4326.", code="crs_unsupported"
            )

    def _feature(
        self, index: int, item: Any, project: Callable[[float, float], tuple[float, float]] | None
    ) -> bulk.NewFeature:
        if not isinstance(item, dict) or item.get("type") != "Feature":
            raise Invalid("It is no Feature.", code="not_a_feature")
        verdict = check_geojson(item.get("geometry"), max_vertices=MAX_VERTICES_IMPORTED, repair=True, project=project)
        if verdict.geometry is None:
            raise Invalid(verdict.reason, fix=verdict.fix, code=verdict.code)
        given = item.get("properties")
        properties = given if isinstance(given, dict) else {}
        class_value = self._class_of(properties)
        if class_value is not None:
            known = self._known[class_value]
            check_shape_of_class(int(shapely.get_dimensions(verdict.geometry)), known.name, known.shapes)
        kept = check_properties(self._kept(properties), self._layer.fields)
        self._report.notes.update(verdict.notes)
        verified = self._options.verified and properties.get("verified") not in UNCHECKED
        # What a model made and nobody has checked stays a model's.
        made = Feature.Source.MODEL if properties.get("source") == Feature.Source.MODEL else Feature.Source.IMPORT
        return bulk.NewFeature(
            verdict.geometry,
            class_value=class_value,
            score=_score(properties.get("score")),
            properties=kept,
            source=Feature.Source.IMPORT if verified else made,
            verified=verified,
            id=id_of(self._namespace, index),
            checked=True,
        )

    def _class_of(self, properties: dict[str, Any]) -> int | None:
        names = [self._options.class_property] if self._options.class_property else ["class_value", "class_name"]
        found = next((properties[name] for name in names if properties.get(name) is not None), None)
        if found is None or found == "":
            return self._default_class()
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        choice = self._options.class_map.get(class_key(found))
        if choice is not None:
            return self._chosen(choice, class_key(found))
        if isinstance(found, int) and not isinstance(found, bool) and found in self._values:
            return found
        name = str(found).strip()
        if name.isdigit() and int(name[:9]) in self._values:
            return int(name)
        if name.casefold() in self._by_name:
            return self._by_name[name.casefold()]
        if self._options.add_classes and 0 < len(name) <= MAX_NAME and storable(name):
            return self._add_class(name)
        raise Invalid(f'The layer has no class "{name[:60]}".', fix="Add it first.", code="class_unknown")

    def _chosen(self, choice: int | str, name: str) -> int | None:
        if isinstance(choice, int) and choice in self._values:
            return choice
        if choice == NO_CLASS:
            return None
        if choice == NEW_CLASS and 0 < len(name) <= MAX_NAME and storable(name):
            return self._by_name[name.casefold()] if name.casefold() in self._by_name else self._add_class(name)
        if choice == SKIP:
            raise Invalid(f'The class "{name[:60]}" is to be left out.', code="class_skipped")
        raise Invalid(f'The layer has no class "{name[:60]}".', fix="Add it first.", code="class_unknown")

    def _default_class(self) -> int | None:
        if self._options.class_value:
            return self._options.class_value
        offered = [item.value for item in self._classes if not item.retired]
        return offered[0] if len(offered) == 1 else None

    def _know_classes(self) -> None:
        self._classes = list(FeatureClass.objects.filter(layer=self._layer).order_by("position", "value"))
        self._by_name = {item.name.casefold(): item.value for item in self._classes}
        self._known = {item.value: item for item in self._classes}
        self._values = set(self._known)

    def _add_class(self, name: str) -> int:
        with transaction.atomic():
            # Reading a file takes minutes: a colleague may have added classes since it began.
            lock(self._layer)
            self._know_classes()
            known = self._by_name.get(name.casefold())
            return known if known is not None else self._store_class(name)

    def _store_class(self, name: str) -> int:
        free = next((value for value in range(1, MAX_CLASS_VALUE + 1) if value not in self._values), None)
        if free is None:
            raise Invalid("The layer has 255 classes already.", fix="Map names to fewer classes.", code="class_unknown")
        taken = {item.colour for item in self._classes}
        colour = next((one for one in PALETTE if one not in taken), PALETTE[(free - 1) % len(PALETTE)])
        specs = [ClassSpec(item.value, item.name, item.colour, item.retired) for item in self._classes]
        services.save_classes(layer=self._layer, classes=[*specs, ClassSpec(free, name, colour)], user=self._user)
        self._know_classes()
        self._report.classes_added.append(name)
        return free

    def _kept(self, properties: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for given, value in properties.items():
            name = self._options.fields.get(given, given)
            if given in RESERVED or value is None or not name:
                continue
            if self._fields and name not in self._fields:
                if name not in self._report.fields_dropped and len(self._report.fields_dropped) < REPORTED:
                    self._report.fields_dropped.append(name)
                continue
            kept[name] = json.dumps(value) if isinstance(value, dict | list) else value
        return kept

    def _projection(self, member: Any) -> Callable[[float, float], tuple[float, float]] | None:
        if member is None:
            return None
        name = member.get("properties", {}).get("name") if isinstance(member, dict) else None
        try:
            crs = CRS.from_user_input(str(name))
        except CRSError as error:
            raise Invalid(
                f"The CRS {str(name)[:80]!r} is not known.", fix="Write it as EPSG:4326.", code="crs_unknown"
            ) from error
        self._report.crs = str(name)
        # GeoJSON is longitude first whatever the definition says.
        if crs.is_geographic and crs.to_epsg() in (4326, None) and "84" in crs.name:
            return None
        return Transformer.from_crs(crs, 4326, always_xy=True).transform


def _score(value: Any) -> float | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return float(value) if fits else None
