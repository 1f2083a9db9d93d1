// The map of the omissions: imagery, the samples that are there, and the one detection that is asked about.

import { CanvasPane } from "../label/canvas-pane";
import { boundsOf } from "../label/geometry";
import { fill, stroke, trace } from "../label/layer";
import { shapeOf } from "../label/shapes";
import type { Geometry } from "../label/types";
import { createMap, imageryLayer, toLatLngBounds, vectorTileLayer } from "../ui/map";
import type { ImageryInfo, VectorInfo, VectorTileLayer } from "../ui/map";

const ASKED = "#ffe14d";

export class OmissionBoard {
  private readonly map: L.Map;
  private readonly pane: CanvasPane;
  private readonly samples: VectorTileLayer;
  private asked: Geometry | null = null;

  /** `shift`: Web Mercator metres by which the imagery is shown beside its place. */
  constructor(element: HTMLElement, imagery: ImageryInfo, shift: readonly [x: number, y: number], private info: VectorInfo, colours: ReadonlyMap<number, string>) {
    this.map = createMap(element, { bounds: imagery.bounds });
    imageryLayer(imagery).addTo(this.map).setShift(shift);
    this.samples = vectorTileLayer(info, { colours, fillOpacity: 0.12 }).addTo(this.map);
    this.map.createPane("asked").classList.add("asked-pane");
    this.pane = new CanvasPane((pen, frame) => {
      if (!this.asked) return;
      pen.beginPath();
      trace(pen, frame, shapeOf(this.asked));
      fill(pen, ASKED, 0.08);
      stroke(pen, "rgb(0 0 0 / 60%)", 5);
      stroke(pen, ASKED, 2.5);
    }, "asked").addTo(this.map);
  }

  /** Ask about a place, with room around it. */
  show(geometry: Geometry | null): void {
    this.asked = geometry;
    if (geometry) {
      const bounds = toLatLngBounds([...boundsOf(geometry)]);
      this.map.fitBounds(bounds.pad(1.5), { animate: false, maxZoom: 21 });
    }
    this.pane.redraw();
  }

  /** Samples were changed: draw them as they are now. */
  refresh(seq: number): void {
    if (seq <= this.info.seq) return;
    this.info = { ...this.info, seq };
    this.samples.refresh(this.info);
  }

  stop(): void {
    this.map.remove();
  }
}
