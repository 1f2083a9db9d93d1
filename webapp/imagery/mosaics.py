"""Writes of mosaics: made, rearranged, and made anew where one of their scenes has changed."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from webapp import doorbell
from webapp.errors import Invalid
from webapp.imagery import storage
from webapp.imagery.models import ImageryLayer, Mosaic, MosaicScene
from webapp.imagery.mosaic_plan import Planned, credit_of, ordered, planned, scenes_of
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.jobs.restarts import inputs_gone
from webapp.jobs.services import FINAL
from webapp.projects.models import Project, User


def create(
    *, project: Project, user: User | None, name: str, scenes: Sequence[UUID], rule: str, description: str = ""
) -> ImageryLayer:
    """Return a new mosaic; it can be seen at once from near by, and from far away when its job is done.

    Args:
        project: where it and all its scenes belong.
        user: who makes it.
        name: of the layer, cleaned.
        scenes: ids, the first lies on top, but for the rule newest.
        rule: what is shown where scenes overlap, one of `Mosaic.Rule`.
        description: for people, cleaned.

    Raises:
        Invalid: no name, an unknown rule, or scenes that do not fit together.
    """
    if not name:
        raise Invalid("A mosaic needs a name.", fix="Give one.")
    rows = scenes_of(project, scenes)
    found = planned(rows, check_rule(rule))
    file = _keep(found)
    with transaction.atomic():
        layer = ImageryLayer.objects.create(
            project=project,
            created_by=user,
            name=name,
            description=description,
            kind=ImageryLayer.Kind.MOSAIC,
            state=ImageryLayer.State.BUILDING,
            analysis_path=file,
            **found.fields,
        )
        Mosaic.objects.create(layer=layer, rule=rule)
        _list(layer, rows)
        _start(layer, user)
        doorbell.ring(f"imagery:{layer.pk}", layer.version)
    return layer


def rearrange(
    *, layer: ImageryLayer, user: User | None, scenes: Sequence[UUID] | None = None, rule: str | None = None
) -> ImageryLayer:
    """Return the mosaic with another list of scenes or another rule, as its next version.

    Args:
        layer: a mosaic.
        user: who changes it.
        scenes: ids of all its scenes from now on; None: as they are.
        rule: None: as it is.

    Raises:
        Invalid: the layer is no mosaic, an unknown rule, or scenes that do not fit together.
    """
    with transaction.atomic():
        locked = _locked(layer.pk)
        former = credit_of(ordered(scenes_of(locked.project, _ids(locked)), locked.mosaic.rule))
        ids = _ids(locked) if scenes is None else list(scenes)
        rows = scenes_of(locked.project, ids)
        if rule is not None:
            locked.mosaic.rule = check_rule(rule)
            locked.mosaic.save(update_fields=["rule"])
        if scenes is not None:
            locked.scenes.all().delete()
            _list(locked, rows)
        return _anew(locked, rows, user, former=former)


def refresh_those_of(scene: ImageryLayer, *, only: str | None = None) -> int:
    """Make the mosaics that hold a scene anew, since its pixels have changed; return how many.

    Args:
        scene: a member.
        only: just those of this rule.
    """
    with transaction.atomic():
        found = MosaicScene.objects.filter(scene=scene).order_by("mosaic_id")
        if only is not None:
            found = found.filter(mosaic__mosaic__rule=only)
        keys = list(found.values_list("mosaic_id", flat=True))
        for pk in keys:
            locked = _locked(pk)
            rows = scenes_of(locked.project, _ids(locked))
            _anew(locked, rows, None, former=credit_of(ordered(rows, locked.mosaic.rule)))
    return len(keys)


def check_rule(rule: str) -> str:
    """Return the rule.

    Raises:
        Invalid: there is none of that name.
    """
    if rule not in Mosaic.Rule.values:
        raise Invalid(f"There is no rule '{str(rule)[:40]}'.", fix=f"Use {', '.join(Mosaic.Rule.values)}.")
    return rule


def run_again(old: Job, new: Job) -> None:
    """Hand the mosaic of a failed job to a new one.

    Raises:
        Conflict: it was deleted, or has changed since.
    """
    found = ImageryLayer.objects.filter(
        pk=old.spec["imagery"], version=old.spec["version"], state=ImageryLayer.State.BUILDING
    )
    if not found.update(job=new):
        raise inputs_gone("The mosaic as it was", "A newer job is at work on it, or it was deleted.")


def _locked(pk: UUID) -> ImageryLayer:
    found = ImageryLayer.objects.select_for_update(of=("self",)).select_related("project", "mosaic", "job").get(pk=pk)
    if found.kind != ImageryLayer.Kind.MOSAIC:
        raise Invalid(f"'{found.name}' is no mosaic.", fix="Choose a mosaic.", code="no_mosaic")
    return found


def _ids(layer: ImageryLayer) -> list[UUID]:
    return list(layer.scenes.order_by("position").values_list("scene_id", flat=True))


def _list(layer: ImageryLayer, rows: Sequence[ImageryLayer]) -> None:
    MosaicScene.objects.bulk_create(
        MosaicScene(mosaic=layer, scene=row, position=position) for position, row in enumerate(rows)
    )


def _anew(layer: ImageryLayer, rows: Sequence[ImageryLayer], user: User | None, *, former: str) -> ImageryLayer:
    """Return the mosaic as its next version; former files stay for who reads them, until the collector comes.

    Its attribution follows that of its scenes, unless somebody wrote another than the `former` one of theirs.
    """
    found = planned(rows, layer.mosaic.rule)
    own = layer.attribution not in ("", former)
    kept = {key: value for key, value in found.fields.items() if key != "attribution" or not own}
    Mosaic.objects.filter(layer=layer).update(overview_path="")
    ImageryLayer.objects.filter(pk=layer.pk).update(
        state=ImageryLayer.State.BUILDING,
        analysis_path=_keep(found),
        display_path="",
        version=F("version") + 1,
        updated_at=timezone.now(),
        **kept,
    )
    layer.refresh_from_db()
    if layer.job is not None and layer.job.state not in FINAL:
        jobs.cancel(job=layer.job, user=user)
    _start(layer, user)
    doorbell.ring(f"imagery:{layer.pk}", layer.version)
    return layer


def _start(layer: ImageryLayer, user: User | None) -> None:
    layer.job = jobs.enqueue(
        project=layer.project,
        kind="mosaic",
        spec={"imagery": str(layer.pk), "version": layer.version},
        user=user,
        title=f"Overview of {layer.name}"[:200],
    )
    layer.save(update_fields=["job"])


def _keep(found: Planned) -> str:
    return keep_document(found.document.dumps())


def keep_document(text: str) -> str:
    """Store a mosaic's file; return its path relative to MEDIA_DIR."""
    folder = Path(settings.SCRATCH_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{uuid4()}.mosaic"
    draft.write_text(text)
    return storage.keep(draft)
