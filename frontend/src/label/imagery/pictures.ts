// The imagery on the map: the set's own, and another date beside or in place of it.

import { imageryLayer } from "../../ui/map";
import type { ImageryTileLayer } from "../../ui/map";
import { clip } from "../../ui/swipe";
import { queryOf } from "../../look/picture";
import type { ImageryStyle } from "../../look/picture";
import { shiftOf } from "./offset";
import type { Scene } from "./rest";
import type { Imagery } from "./state";

/** A slider changes many times a second: tiles are asked for when it rests. */
const QUIET_MS = 200;

interface Shown {
  readonly scene: Scene;
  readonly layer: ImageryTileLayer;
  look: string;
}

export class Pictures {
  private readonly own: Shown;
  private second: Shown | null = null;
  private quiet: ReturnType<typeof setTimeout> | undefined;
  private readonly unsubscribe: () => void;
  private readonly cut = (): void => this.part();

  constructor(
    private readonly map: L.Map,
    private readonly imagery: Imagery,
  ) {
    this.own = this.made(imagery.own, imagery.view.choice.style, 1);
    this.unsubscribe = imagery.subscribe(() => this.show());
    map.on("move zoomend resize viewreset", this.cut);
    this.show();
  }

  stop(): void {
    clearTimeout(this.quiet);
    this.unsubscribe();
    this.map.off("move zoomend resize viewreset", this.cut);
  }

  private made(scene: Scene, style: ImageryStyle, zIndex: number): Shown {
    const look = queryOf(style);
    const layer = imageryLayer({ ...scene, look }, { className: "label-imagery", zIndex }).addTo(this.map);
    return { scene, layer, look };
  }

  private show(): void {
    const { second, choice } = this.imagery.view;
    if (this.second && this.second.scene.id !== second?.id) {
      this.second.layer.remove();
      this.second = null;
    }
    if (second && !this.second) this.second = this.made(second, choice.secondStyle, 2);
    const { opacity, brightness } = choice;
    for (const shown of [this.own, ...(this.second ? [this.second] : [])]) {
      shown.layer.setOpacity(opacity).setShift(shiftOf(this.imagery.offsetOf(shown.scene.id), this.imagery.drawnOffset(shown.scene.id)));
      const holder = shown.layer.getContainer();
      if (holder) holder.style.filter = brightness === 1 ? "" : `brightness(${brightness})`;
    }
    this.part();
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.restyle(), QUIET_MS);
  }

  private restyle(): void {
    const { choice } = this.imagery.view;
    const wanted = [[this.own, choice.style], [this.second, choice.secondStyle]] as const;
    for (const [shown, style] of wanted) {
      const look = queryOf(style);
      if (!shown || shown.look === look) continue;
      shown.look = look;
      shown.layer.refresh({ ...shown.scene, look });
    }
  }

  /** Which of both is seen where. */
  private part(): void {
    const { choice, flicking } = this.imagery.view;
    const [own, second] = [this.own.layer.getContainer(), this.second?.layer.getContainer()];
    const both = second !== undefined && choice.swipe && !flicking;
    if (own) {
      own.style.visibility = second && flicking ? "hidden" : "";
      clip(this.map, own, both ? "left" : null, choice.at);
    }
    if (!second) return;
    second.style.visibility = both || flicking ? "" : "hidden";
    clip(this.map, second, both ? "right" : null, choice.at);
  }
}
