"""The one table of who may call which route. A route that is not here is refused.

Keys are URL names, then HTTP methods (`*` for all others). A test walks the URL map against it.
"""

from dataclasses import dataclass
from typing import Literal

from webapp.projects.models import Role

Audience = Literal["public", "signed_in", "member", "staff", "link"]
Scope = Literal["read", "edit", "run", "manage"]


@dataclass(frozen=True)
class Rule:
    """Who may call a route.

    Attributes:
        audience: `public` anybody; `signed_in` any user; `member` a member of the object's project with at
            least `role`; `link` as `member`, or anybody where the owner shared the map by link; `staff` site
            administrators.
        role: lowest role, for `member` and `link`.
        scope: what an API token must be allowed.
    """

    audience: Audience
    role: Role = Role.VIEWER
    scope: Scope = "read"


PUBLIC = Rule("public")
SIGNED_IN = Rule("signed_in")
STAFF = Rule("staff", scope="manage")
VIEW = Rule("member", Role.VIEWER, "read")
LABEL = Rule("member", Role.LABELER, "edit")
REVIEW = Rule("member", Role.REVIEWER, "edit")
RUN = Rule("member", Role.LABELER, "run")
MANAGE = Rule("member", Role.MANAGER, "manage")
OWN = Rule("member", Role.OWNER, "manage")
LINK = Rule("link", Role.VIEWER, "read")

ROUTES: dict[str, dict[str, Rule]] = {
    # imagery
    "imagery-upload": {"GET": SIGNED_IN},
    "imagery": {"GET": VIEW},
    "mosaic-new": {"GET": SIGNED_IN},
    "api-mosaics": {"POST": LABEL},
    "api-imagery-mosaic": {"GET": VIEW, "PATCH": LABEL},
    "api-imagery-mosaicjson": {"GET": VIEW},
    "api-imagery-list": {"GET": SIGNED_IN},
    "api-imagery": {"GET": VIEW, "PATCH": LABEL, "DELETE": MANAGE},
    "api-imagery-deletion": {"GET": VIEW},
    "api-imagery-folders": {"GET": LABEL, "POST": LABEL},
    "api-imagery-remote": {"POST": LABEL},
    "api-imagery-remote-look": {"POST": LABEL},
    "api-imagery-source": {"GET": VIEW, "POST": LABEL},
    "api-imagery-tilejson": {"GET": VIEW},
    "api-imagery-point": {"GET": VIEW},
    "api-imagery-statistics": {"GET": VIEW},
    "api-imagery-stretch": {"GET": VIEW},
    "api-imagery-look": {"GET": VIEW},
    "api-imagery-preview": {"GET": VIEW},
    "api-imagery-preview-as": {"GET": VIEW},
    "api-imagery-bbox": {"GET": VIEW},
    "api-imagery-renderings": {"GET": VIEW, "POST": LABEL},
    "api-imagery-rendering": {"GET": VIEW, "PATCH": LABEL, "DELETE": LABEL},
    "api-uploads": {"GET": SIGNED_IN, "POST": LABEL},
    "api-upload": {"GET": LABEL, "PATCH": LABEL, "DELETE": LABEL},
    "api-upload-complete": {"POST": LABEL},
    # features
    "api-layers": {"GET": SIGNED_IN},
    "api-layer": {"GET": VIEW, "DELETE": MANAGE},
    "api-layer-deletion": {"GET": VIEW},
    "api-layer-features": {"GET": VIEW},
    "api-layer-feature": {"GET": VIEW},
    "api-layer-history": {"GET": VIEW},
    "api-layer-edits": {"GET": VIEW, "POST": LABEL},
    "api-layer-timeline": {"GET": VIEW},
    "api-layer-restore": {"GET": VIEW, "POST": MANAGE},
    "api-layer-classes": {"GET": VIEW, "PUT": REVIEW},
    "api-layer-statistics": {"GET": VIEW},
    "api-layer-export": {"GET": VIEW},
    "api-layer-import": {"POST": LABEL},
    "api-formats": {"GET": SIGNED_IN},
    "api-layer-imports": {"POST": LABEL},
    "api-layer-import-of": {"POST": LABEL, "DELETE": LABEL},
    "api-layer-exports": {"POST": Rule("member", Role.VIEWER, "run")},  # whoever sees a layer may take it along
    "api-layer-export-of": {"GET": VIEW},
    # ogc
    "ogc-landing": {"GET": PUBLIC},
    "ogc-landing-bare": {"GET": PUBLIC},
    "ogc-conformance": {"GET": PUBLIC},
    "ogc-api": {"GET": PUBLIC},
    "ogc-collections": {"GET": SIGNED_IN},
    "ogc-collection": {"GET": VIEW},
    "ogc-schema": {"GET": VIEW},
    "ogc-items": {"GET": VIEW, "POST": LABEL},
    "ogc-item": {"GET": VIEW, "PUT": LABEL, "PATCH": LABEL, "DELETE": LABEL},
    "ogc-matrix-sets": {"GET": PUBLIC},
    "ogc-matrix-set": {"GET": PUBLIC},
    "ogc-tilesets": {"GET": VIEW},
    "ogc-tileset": {"GET": VIEW},
    "ogc-tile": {"GET": VIEW},
    "ogc-map-tilesets": {"GET": VIEW},
    "ogc-map-tileset": {"GET": VIEW},
    "ogc-map-tile": {"GET": VIEW},
    "ogc-wmts": {"GET": SIGNED_IN},
    "ogc-wmts-capabilities": {"GET": SIGNED_IN},
    "ogc-wms": {"GET": SIGNED_IN},
    # stac
    "stac-landing": {"GET": PUBLIC},
    "stac-landing-bare": {"GET": PUBLIC},
    "stac-conformance": {"GET": PUBLIC},
    "stac-api": {"GET": PUBLIC},
    "stac-collections": {"GET": SIGNED_IN},
    "stac-collection": {"GET": VIEW},
    "stac-items": {"GET": VIEW},
    "stac-item": {"GET": VIEW},
    "stac-search": {"GET": SIGNED_IN, "POST": SIGNED_IN},  # POST only reads: long searches do not fit an address
    "stac-file": {"GET": VIEW},
    # labeling
    "label": {"GET": VIEW},
    "api-label-sets": {"GET": SIGNED_IN, "POST": LABEL},
    "api-label-set": {"GET": VIEW, "PATCH": MANAGE, "DELETE": MANAGE},
    "api-label-set-deletion": {"GET": VIEW},
    "api-label-set-statistics": {"GET": VIEW},
    "label-samples": {"GET": VIEW},
    "api-label-set-samples": {"GET": VIEW},
    "api-label-set-problems": {"GET": VIEW, "POST": LABEL},
    "api-label-set-class-parts": {"GET": VIEW},
    "api-label-set-class-merge": {"POST": REVIEW},
    "api-label-set-class-split": {"POST": REVIEW},
    "api-label-set-imports": {"POST": LABEL},
    "api-label-set-exports": {"POST": Rule("member", Role.VIEWER, "run")},  # as api-layer-exports
    "api-label-set-offsets": {"GET": VIEW, "PUT": REVIEW},
    "api-label-set-copies": {"POST": LABEL},
    "api-label-set-tasks": {"GET": VIEW, "POST": REVIEW, "DELETE": REVIEW},
    "api-label-set-tasks-preview": {"POST": REVIEW},
    "api-label-set-tasks-next": {"POST": LABEL},
    "api-label-set-tasks-progress": {"GET": VIEW},
    "api-label-set-edits": {"POST": LABEL},
    "api-label-set-proposals": {"GET": VIEW},
    "api-label-set-review-stream": {"GET": VIEW},
    "api-label-set-review-accept": {"GET": VIEW, "POST": REVIEW},
    "api-label-set-review-figures": {"GET": VIEW},
    "api-label-set-assist": {"POST": LABEL},  # only reads
    "api-label-set-segments": {"GET": LABEL},  # only labelers need them, and they cost time
    "api-label-set-segment-labels": {"GET": LABEL},
    "api-label-set-comments": {"GET": VIEW, "POST": LABEL},
    "api-comment": {"PATCH": LABEL, "DELETE": LABEL},  # your own; a manager any
    "api-task": {"GET": VIEW, "PATCH": REVIEW},
    "api-task-work": {"POST": LABEL},
    "api-task-review": {"POST": REVIEW},
    "api-proposal": {"POST": LABEL},
    "label-agreement": {"GET": REVIEW},
    "api-label-set-agreement": {"GET": REVIEW, "PATCH": MANAGE},
    "api-label-set-agreement-tasks": {"GET": REVIEW, "POST": MANAGE},
    "api-label-set-agreement-settle": {"POST": REVIEW},
    "api-label-set-consensus": {"GET": REVIEW},
    "api-label-set-own-scores": {"GET": LABEL},
    "label-omissions": {"GET": VIEW},
    "api-label-set-omissions": {"GET": VIEW, "POST": LABEL},
    "api-label-set-suggestions": {"GET": VIEW, "POST": LABEL},
    "api-layer-label-sets": {"GET": VIEW},
    "api-task-blind": {"GET": REVIEW, "POST": REVIEW, "DELETE": MANAGE},
    # maps
    "public-maps": {"GET": PUBLIC},
    "map": {"GET": LINK},
    "map-embed": {"GET": LINK},
    "api-maps": {"GET": SIGNED_IN, "POST": LABEL},
    "api-map": {"GET": LINK, "PATCH": LABEL, "DELETE": REVIEW},
    "api-map-share": {"PUT": MANAGE},
    "api-map-order": {"PUT": LABEL},
    "api-map-layout": {"PUT": LABEL},
    "api-map-basemaps": {"GET": LABEL},
    "api-map-candidates": {"GET": LABEL},
    "api-map-layers": {"POST": LABEL},
    "api-map-layer": {"PATCH": LABEL, "DELETE": LABEL},
    "api-map-legend": {"GET": LINK},
    "api-map-column": {"GET": LINK},
    "api-map-column-summary": {"GET": LINK},
    "api-map-note": {"PUT": LABEL, "DELETE": LABEL},
    "api-map-bookmarks": {"POST": LABEL, "DELETE": LABEL},
    "api-map-places": {"GET": LINK},
    "api-map-table": {"GET": LINK},
    "api-map-point": {"GET": LINK},
    "api-map-feature": {"GET": LINK},
    "api-map-photo": {"GET": LINK},
    "api-map-photo-picture": {"GET": LINK},
    "api-map-photo-thumbnail": {"GET": LINK},
    # photos
    "photos-new": {"GET": SIGNED_IN},
    "photos": {"GET": VIEW},
    "api-photo-sets": {"POST": LABEL},
    "api-photo-set": {"GET": VIEW},
    "api-photo-files": {"POST": LABEL},
    "api-photo-read": {"POST": LABEL},
    "api-photo": {"GET": VIEW, "PATCH": LABEL, "DELETE": LABEL},
    "api-photo-picture": {"GET": VIEW},
    "api-photo-thumbnail": {"GET": VIEW},
    # projects
    "project": {"GET": VIEW},
    "profile": {"GET": SIGNED_IN},
    "api-projects": {"GET": SIGNED_IN, "POST": Rule("signed_in", scope="manage")},
    "api-project": {"GET": VIEW, "PATCH": MANAGE},
    "api-project-deletion": {"GET": OWN, "POST": OWN},
    "api-project-members": {"GET": VIEW, "POST": MANAGE},
    "api-project-member": {"PATCH": MANAGE, "DELETE": Rule("member", Role.VIEWER, "manage")},  # anybody may leave
    "join": {"GET": PUBLIC, "POST": PUBLIC},  # whoever has the link
    "api-project-invitations": {"GET": MANAGE, "POST": MANAGE},
    "api-project-invitation": {"DELETE": MANAGE},
    "api-project-audit": {"GET": MANAGE},
    "api-tokens": {"GET": SIGNED_IN, "POST": Rule("signed_in", scope="manage")},
    "api-token": {"DELETE": Rule("signed_in", scope="manage")},
    "api-me": {"GET": SIGNED_IN, "PATCH": Rule("signed_in", scope="manage")},
    "api-me-password": {"POST": Rule("signed_in", scope="manage")},
    "api-schema": {"GET": PUBLIC},
    "api-docs": {"GET": PUBLIC},
    # jobs
    "jobs": {"GET": SIGNED_IN},
    "job": {"GET": VIEW},
    "api-jobs": {"GET": SIGNED_IN},
    "api-job": {"GET": VIEW},
    "api-job-cancel": {"POST": RUN},
    "api-job-restart": {"POST": RUN},  # and whatever starting one like it needs
    "api-job-events": {"GET": VIEW},
    # training
    "training-data-new": {"GET": RUN},
    "training-data": {"GET": VIEW},
    "run": {"GET": VIEW},
    "models": {"GET": SIGNED_IN},
    "model": {"GET": VIEW},
    "api-training-data-list": {"GET": SIGNED_IN, "POST": RUN},
    "api-training-data": {"GET": VIEW, "DELETE": RUN},  # your own; a manager any
    "api-training-data-deletion": {"GET": VIEW},
    "api-training-data-sample": {"GET": VIEW},
    "api-runs": {"GET": SIGNED_IN, "POST": RUN},
    "api-run": {"GET": VIEW, "DELETE": RUN},  # your own; a manager any
    "api-run-deletion": {"GET": VIEW},
    "api-run-epochs": {"GET": VIEW},
    "api-models": {"GET": SIGNED_IN, "POST": MANAGE},
    "api-model": {"GET": VIEW, "DELETE": MANAGE},
    "api-model-download": {"GET": VIEW},
    "api-model-sample": {"GET": VIEW},
    # demo
    "api-demo": {"POST": RUN},
    # inference
    "inference-new": {"GET": SIGNED_IN},
    "inference": {"GET": VIEW},
    "api-inferences": {"GET": SIGNED_IN, "POST": RUN},
    "api-inference-estimate": {"POST": RUN},
    "api-inference": {"GET": VIEW, "DELETE": RUN},  # your own; a manager any
    "api-inference-deletion": {"GET": VIEW},
    # pages
    "home": {"GET": SIGNED_IN},
    "api-content": {"GET": SIGNED_IN},
    "login": {"*": PUBLIC},
    "logout": {"*": PUBLIC},
    # operations
    "healthz": {"GET": PUBLIC},
    "readyz": {"GET": PUBLIC},
}

# Sockets by their path in `webapp/sockets.py`: who may open one. Commands that change things check on their own.
SOCKETS: dict[str, Rule] = {
    "ws/jobs/": SIGNED_IN,
    "ws/jobs/<uuid:pk>/": VIEW,
    "ws/layers/<uuid:pk>/": VIEW,
    "ws/maps/<uuid:pk>/": LINK,
}


def methods_of(name: str) -> set[str]:
    """Return the HTTP methods that a route takes; none where it is not declared."""
    declared = set(ROUTES.get(name, {}))
    return declared | ({"HEAD", "OPTIONS"} if "GET" in declared else {"OPTIONS"}) if declared else set()


def rule_for(name: str, method: str) -> Rule | None:
    """Return the rule of a route and method, or None where none is declared (refused)."""
    methods = ROUTES.get(name)
    if methods is None:
        return None
    wanted = "GET" if method in ("HEAD", "OPTIONS") else method
    return methods.get(wanted, methods.get("*"))
