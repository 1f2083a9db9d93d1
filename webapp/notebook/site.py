"""A site as a notebook sees it: its layers, their features, and samples put into a label set.

    from webapp.notebook.site import Site

    site = Site("http://localhost:8000", token)
    site.layers("roofs")
    roofs = site.features("Roofs")  # a GeoDataFrame in EPSG:4326

Make the token on the profile page: scope `read`, and `edit` to save.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from webapp.errors import Conflict, Invalid, NotFound
from webapp.notebook.client import Client

if TYPE_CHECKING:
    import geopandas

# Edits of one request; the site takes 500.
BATCH = 500
MOST_FEATURES = 10_000


@dataclass(frozen=True)
class Layer:
    """A layer of a site.

    Attributes:
        kind: "imagery", "features" or "label_set" (whose samples are features).
        id: of the imagery layer, feature layer or label set.
        name: what people call it.
        json: all that the API tells of it; of a label set, of its samples.
    """

    kind: str
    id: str
    name: str
    json: Mapping[str, Any] = field(repr=False)

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """(west, south, east, north) in degrees; None while it is empty."""
        box = self.json.get("bounds")
        return None if box is None else (box[0], box[1], box[2], box[3])

    @property
    def classes(self) -> dict[int, str]:
        """Names of its classes by their values."""
        return {item["value"]: item["name"] for item in self.json.get("classes", [])}


class Site:
    """One site and one API token."""

    def __init__(self, url: str, token: str) -> None:
        """Name the site.

        Raises:
            Invalid: the address is none.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise Invalid(f"'{url[:80]}' is no address of a site.", fix='Give it as "http://localhost:8000".')
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self.client = Client(self.url, token)

    def __repr__(self) -> str:
        return f"Site({self.url!r})"  # a notebook is shared with its output: never the token

    def layers(self, name: str = "") -> list[Layer]:
        """Return imagery, feature layers and label sets whose name holds `name`, in any case.

        Raises:
            Refused: the token is not taken.
            Unavailable: the site does not answer.
        """
        wanted = name.casefold()
        sets = list(self._pages("/api/label-sets/"))
        # A label set's samples are found under its own name.
        samples = {row["layer"]["id"] for row in sets}
        found = [
            *(Layer("imagery", row["id"], row["name"], row) for row in self._pages("/api/imagery/")),
            *(Layer("features", row["id"], row["name"], row) for row in self._pages("/api/layers/")),
            *(Layer("label_set", row["id"], row["name"], row["layer"]) for row in sets),
        ]
        found = [layer for layer in found if layer.id not in samples]
        return [layer for layer in found if wanted in layer.name.casefold()]

    def layer(self, name: str) -> Layer:
        """Return the layer of that id or exact name, its JSON complete.

        Raises:
            NotFound: there is none.
            Conflict: several have that name.
        """
        found = [layer for layer in self.layers() if name in (layer.id, layer.name)]
        if not found:
            raise NotFound(f"layer '{name[:80]}'")
        if len(found) > 1:
            ids = ", ".join(f"{layer.kind} {layer.id}" for layer in found[:5])
            raise Conflict(f"{len(found)} layers are called '{name}'.", fix=f"Name one by its id: {ids}.")
        if found[0].kind != "label_set":
            return found[0]
        whole = self.client.get(f"/api/label-sets/{found[0].id}/")
        return Layer("label_set", found[0].id, found[0].name, whole["layer"])

    def features(
        self,
        layer: str | Layer,
        *,
        bbox: tuple[float, float, float, float] | None = None,
        limit: int = MOST_FEATURES,
    ) -> "geopandas.GeoDataFrame":
        """Return features of a layer or samples of a label set in EPSG:4326.

        Args:
            layer: or its name or id.
            bbox: (west, south, east, north) in degrees; None for all.
            limit: the most that are read, at most 10,000.

        Returns:
            One row a feature, indexed by its id: geometry, `class_value`, `class_name`, `score`, `source`, and its
            own properties. `attrs["truncated"]` is True where there are more.

        Raises:
            Invalid: imagery has no features.
        """
        import geopandas

        shown, collection = self.collection(layer, bbox=bbox, limit=limit)
        rows = [
            {
                **item["properties"],
                "class_value": item["meta"]["class_value"],
                "class_name": shown.classes.get(item["meta"]["class_value"]),
                "score": item["meta"]["score"],
                "source": item["meta"]["source"],
            }
            for item in collection["features"]
        ]
        ids = [item["id"] for item in collection["features"]]
        shapes = [shape(item["geometry"]) for item in collection["features"]]
        frame = geopandas.GeoDataFrame(rows, geometry=shapes, crs=4326, index=ids)
        frame.attrs["truncated"] = bool(collection["truncated"])
        return frame

    def collection(
        self, layer: str | Layer, *, bbox: tuple[float, float, float, float] | None = None, limit: int = MOST_FEATURES
    ) -> tuple[Layer, dict[str, Any]]:
        """Return a layer and its features as GeoJSON, as `features` does."""
        shown = self.layer(layer) if isinstance(layer, str) else layer
        if shown.kind == "imagery":
            raise Invalid(f"'{shown.name}' is imagery: it has pixels, no features.", fix="Name a feature layer.")
        query = {"limit": str(min(limit, MOST_FEATURES))}
        if bbox is not None:
            query["bbox"] = ",".join(str(number) for number in bbox)
        return shown, self.client.get(f"/api/layers/{shown.json['id']}/features", **query)

    def save(
        self, label_set: str | Layer, shapes: "geopandas.GeoDataFrame | Iterable[BaseGeometry]", class_value: int
    ) -> list[str]:
        """Add shapes to a label set as samples that a person drew; return their ids.

        Each batch of 500 is stored whole or not at all. Sent again, the same shapes become new samples.

        Args:
            label_set: or its name or id.
            shapes: in EPSG:4326 where they say nothing else; a GeoDataFrame with another CRS is transformed. Where it
                has a column `class_value`, its values go before the argument.
            class_value: of a class of the label set.

        Raises:
            Invalid: it is no label set, has no such class, or a shape cannot be a sample.
            Refused: the token may not edit.
        """
        target = self.layer(label_set) if isinstance(label_set, str) else label_set
        if target.kind != "label_set":
            raise Invalid(f"'{target.name}' is no label set.", fix="Name a label set.")
        wanted = list(_classed(shapes, class_value))
        unknown = {value for _, value in wanted} - set(target.classes)
        if unknown:
            names = ", ".join(f"{value} {name}" for value, name in target.classes.items())
            raise Invalid(f"'{target.name}' has no class {min(unknown)}.", fix=f"Use one of {names}.")
        edits = [
            {
                "op_id": str(uuid4()),
                "action": "create",
                "id": str(uuid4()),
                "geometry": mapping(geometry),
                "class_value": value,
                "properties": {},
            }
            for geometry, value in wanted
        ]
        for first in range(0, len(edits), BATCH):
            answer = self.client.post(f"/api/label-sets/{target.id}/edits", {"edits": edits[first : first + BATCH]})
            for number, result in enumerate(answer["results"], start=first):
                if result["status"] not in ("ok", "aborted"):
                    told = result["error"] or {"message": result["status"], "fix": ""}
                    raise Invalid(f"Shape {number}: {told['message']}", fix=told.get("fix", ""))
        return [str(edit["id"]) for edit in edits]

    def _pages(self, path: str) -> Iterator[Mapping[str, Any]]:
        following: str | None = path
        while following:
            parts = urlsplit(following)
            answer = self.client.get(f"{parts.path}?{parts.query}" if parts.query else parts.path)
            yield from answer["results"]
            following = answer.get("next")


def _classed(shapes: Any, class_value: int) -> Iterator[tuple[BaseGeometry, int]]:
    if not hasattr(shapes, "geometry"):
        yield from ((geometry, class_value) for geometry in shapes)
        return
    frame = shapes.to_crs(4326) if shapes.crs is not None else shapes
    values = frame["class_value"] if "class_value" in frame else [class_value] * len(frame)
    for geometry, value in zip(frame.geometry, values, strict=True):
        yield geometry, int(value)
