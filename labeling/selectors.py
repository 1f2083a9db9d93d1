"""Reads of label sets."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from labeling import offsets
from labeling.models import LabelSet
from webapp.errors import NotFound
from webapp.features import selectors as features
from webapp.imagery import selectors as imagery
from webapp.projects.models import Project, Role


def label_set(pk: UUID | str) -> LabelSet:
    """Return the label set with its project, imagery and layer.

    Raises:
        NotFound: there is none.
    """
    found = LabelSet.objects.select_related("project", "imagery", "layer", "copied_from").filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


def label_sets(projects: QuerySet[Project]) -> QuerySet[LabelSet]:
    """Return the label sets of projects with what their JSON shows."""
    return LabelSet.objects.filter(project__in=projects).select_related("project", "imagery", "layer")


def label_set_json(found: LabelSet, role: Role | None) -> dict[str, Any]:
    """Return what the labeling page and the API show; `role` is the caller's."""
    # A sheet lies in its person's corner; people know the project.
    project = found.project.corner_of or found.project
    first = found.copied_from
    return {
        "id": str(found.pk),
        "name": found.name,
        "description": found.description,
        "project": str(project.pk),
        "project_name": project.name,
        "sheet_of": None if found.sheet_of_id is None else f"/label/{found.sheet_of_id}/",
        "copied_from": None if first is None else {"name": first.name, "url": first.get_absolute_url()},
        "imagery_date": imagery.date_of(found.imagery),
        "imagery": imagery.layer_json(found.imagery),
        "offsets": offsets.rows(found),
        "layer": features.layer_json(found.layer),
        "role": None if role is None else role.name.lower(),
        "created_at": found.created_at.isoformat(),
        "url": f"/label/{found.pk}/",
    }


def summary_json(found: LabelSet) -> dict[str, Any]:
    """Return one line of a list of label sets."""
    return {
        "id": str(found.pk),
        "name": found.name,
        "project": str(found.project_id),
        "project_name": found.project.name,
        "imagery": {"id": str(found.imagery_id), "name": found.imagery.name},
        "imagery_date": imagery.date_of(found.imagery),
        "layer": {"id": str(found.layer_id), "seq": found.layer.seq, "count": found.layer.feature_count},
        "created_at": found.created_at.isoformat(),
        "url": f"/label/{found.pk}/",
    }


def statistics(found: LabelSet) -> dict[str, Any]:
    """Return counts and geodesic areas (square metres) per class and of all samples."""
    rows = features.statistics(found.layer)
    return {
        "classes": rows,
        "count": sum(row["count"] for row in rows),
        "area_m2": sum(row["area_m2"] for row in rows),
        "seq": found.layer.seq,
    }
