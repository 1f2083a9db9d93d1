"""A site's layers on a map in a notebook, and what is drawn there as a GeoDataFrame.

    from webapp.notebook.map import Map
    from webapp.notebook.site import Site

    site = Site("http://localhost:8000", token)
    view = Map(site, ["Banepa", "Roofs"])
    view  # the last line of a cell shows it; draw, and in the next cell:
    view.drawn
    view.save("Roof labels", class_value=1)

The map is ipyleaflet's (`view.widget`), because its drawing comes back to Python; folium only writes a page. It stands
on plain ground: nothing but the site is asked.
"""

import html
import math
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import ipyleaflet
from ipywidgets import Layout
from shapely.geometry import shape

from webapp.errors import Invalid
from webapp.notebook.site import Layer, Site

if TYPE_CHECKING:
    import geopandas

Bounds = tuple[float, float, float, float]

# More features make a notebook slow, and its file large.
MOST_SHOWN = 2_000
MAX_ZOOM = 26
HEIGHT_PX = 520
# What a notebook's column is wide, about.
WIDTH_PX = 800
NO_CLASS = "#7a7a7a"
DRAWN = "#d1495b"
# Web Mercator ends there.
MAX_LAT = 85.0511


class Map:
    """Layers of one site, and what is drawn on them.

    Attributes:
        site: whose layers these are.
        widget: ipyleaflet's map, for all that it can.
        shown: the layers, the bottom one first.
    """

    def __init__(self, site: Site, layers: Iterable[str | Layer] = (), *, height_px: int = HEIGHT_PX) -> None:
        """Show layers by name, id or as `site.layers` gave them, the first one at the bottom."""
        self.site = site
        self.shown: list[Layer] = []
        self._height_px = height_px
        self._pencil = ipyleaflet.DrawControl(
            polygon={"shapeOptions": {"color": DRAWN}},
            rectangle={"shapeOptions": {"color": DRAWN}},
            polyline={"shapeOptions": {"color": DRAWN}},
            marker={"shapeOptions": {}},
            circle={},
            circlemarker={},
        )
        self.widget = ipyleaflet.Map(
            # Named, or ipyleaflet fetches OpenStreetMap's tiles.
            layers=(),
            center=(20, 0),
            zoom=2,
            max_zoom=MAX_ZOOM,
            scroll_wheel_zoom=True,
            layout=Layout(height=f"{height_px}px"),
        )
        for control in (
            self._pencil,
            ipyleaflet.LayersControl(position="topright"),
            ipyleaflet.ScaleControl(position="bottomleft", imperial=False),
        ):
            self.widget.add(control)
        for layer in layers:
            self.add(layer)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Return the widget as notebooks show it."""
        return self.widget._repr_mimebundle_(**options)

    def add(self, layer: str | Layer, *, opacity: float = 1.0, most: int = MOST_SHOWN) -> Layer:
        """Put a layer on top and return it; the first one is zoomed to.

        Args:
            layer: or its name or id; imagery comes as tiles, features and samples as shapes in their classes' colours.
            opacity: 0 to 1.
            most: features that are shown; where there are more, a warning says so.

        Raises:
            NotFound: the site has no such layer.
            Conflict: several have that name.
        """
        found = self.site.layer(layer) if isinstance(layer, str) else layer
        made = self._tiles(found, opacity) if found.kind == "imagery" else self._shapes(found, opacity, most)
        self.widget.add(made)
        self.shown.append(found)
        if len(self.shown) == 1 and found.bounds is not None:
            self.zoom_to(found.bounds)
        return found

    def zoom_to(self, bounds: Bounds) -> None:
        """Show a box, (west, south, east, north) in degrees."""
        west, south, east, north = bounds
        self.widget.center = ((south + north) / 2, (west + east) / 2)
        self.widget.zoom = zoom_of(bounds, WIDTH_PX, self._height_px)

    @property
    def drawn(self) -> "geopandas.GeoDataFrame":
        """What is drawn on the map, in EPSG:4326; one row a shape, in the order of drawing."""
        import geopandas

        shapes = [shape(item["geometry"]) for item in self._pencil.data]
        return geopandas.GeoDataFrame(geometry=shapes, crs=4326)

    def clear(self) -> None:
        """Take what is drawn off the map."""
        self._pencil.clear()
        self._pencil.data = []

    def save(self, label_set: str | Layer, class_value: int) -> list[str]:
        """Add what is drawn to a label set as samples of a class, take it off the map, and return the samples' ids.

        Raises:
            Invalid: nothing is drawn, or see `Site.save`.
        """
        drawn = self.drawn
        if drawn.empty:
            raise Invalid("Nothing is drawn on this map.", fix="Draw with the tools at its left edge first.")
        ids = self.site.save(label_set, drawn, class_value)
        self.clear()
        return ids

    def _tiles(self, layer: Layer, opacity: float) -> Any:
        box = layer.bounds
        return ipyleaflet.TileLayer(
            name=html.escape(layer.name),  # the list of layers takes it for HTML
            # Signed for half a day: the API token never goes to the browser, nor into the notebook's file.
            url=f"{self.site.url}{layer.json['tiles']}",
            attribution=html.escape(str(layer.json.get("attribution") or "")),
            min_zoom=0,
            max_zoom=MAX_ZOOM,
            max_native_zoom=layer.json["max_zoom"],
            opacity=opacity,
            **({} if box is None else {"bounds": [(box[1], box[0]), (box[3], box[2])]}),
        )

    def _shapes(self, layer: Layer, opacity: float, most: int) -> Any:
        _, collection = self.site.collection(layer, limit=most)
        if collection["truncated"]:
            count = layer.json.get("count")
            warnings.warn(
                f"'{layer.name}' has {count:,} features; the map shows {len(collection['features']):,} of them. "
                "Give `most`, or read the ones you need with site.features(…, bbox=…).",
                stacklevel=3,
            )
        colours = {item["value"]: item["colour"] for item in layer.json.get("classes", [])}
        features = [_drawable(item, colours, opacity) for item in collection["features"]]
        return ipyleaflet.GeoJSON(
            name=html.escape(layer.name),  # the list of layers takes it for HTML
            data={"type": "FeatureCollection", "features": features},
            point_style={"radius": 5},
            hover_style={"weight": 4},
        )


def zoom_of(bounds: Bounds, width_px: int, height_px: int) -> int:
    """Return the closest whole zoom of Web Mercator at which a box fits into a view of so many pixels."""
    west, south, east, north = bounds
    tall = (_northing(north) - _northing(south)) * 256
    wide = (east - west) / 360 * 256
    rooms = [room / size for room, size in ((width_px, wide), (height_px, tall)) if size > 0]
    return min(22, max(1, math.floor(math.log2(min(rooms))))) if rooms else 18


def _northing(lat: float) -> float:
    """Return how far north a latitude lies in Web Mercator, 0 to 1 (Snyder 1987, "Map Projections", eq. 7-2)."""
    bounded = math.radians(max(-MAX_LAT, min(MAX_LAT, lat)))
    return 0.5 + math.asinh(math.tan(bounded)) / (2 * math.pi)


def _drawable(item: Mapping[str, Any], colours: Mapping[int, str], opacity: float) -> dict[str, Any]:
    colour = colours.get(item["meta"]["class_value"], NO_CLASS)
    style = {"color": colour, "fillColor": colour, "weight": 2, "opacity": opacity, "fillOpacity": 0.25 * opacity}
    return {
        "type": "Feature",
        "id": item["id"],
        "geometry": item["geometry"],
        "properties": {**item["properties"], "style": style},
    }
