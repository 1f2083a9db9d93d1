// The basemap on a map: one at a time, and whether its server answers.
import { basemapLayer } from "./map";
import type { BasemapInfo } from "./map";

/** "ok", or what is amiss with the tiles of the last view: some, or all, did not come. */
export type GroundState = "ok" | "partly" | "silent";

/** What tells whether another picture is wanted; the token of a tile address changes by itself. */
function keyOf(basemap: BasemapInfo | null): string {
  if (basemap?.kind === "imagery") return `${basemap.choice} ${basemap.imagery.version}`;
  return JSON.stringify(basemap);
}

/** Keeps the basemap. */
export class Ground {
  state: GroundState = "ok";
  private layer: L.TileLayer | null = null;
  private key = keyOf(null);

  constructor(
    private readonly map: L.Map,
    private readonly heard: (state: GroundState) => void,
    /** Its pictures will be copied to a canvas. */
    private readonly copied: boolean,
  ) {}

  get isLoading(): boolean {
    return this.layer?.isLoading() ?? false;
  }

  /** Put another basemap under everything; null: plain ground. */
  set(basemap: BasemapInfo | null): void {
    if (keyOf(basemap) === this.key) return;
    this.key = keyOf(basemap);
    this.layer?.remove();
    this.layer = null;
    this.tell("ok");
    if (!basemap) return;
    const layer = basemapLayer(basemap, this.copied);
    let [came, failed] = [0, 0];
    layer.on("loading", () => (came = failed = 0));
    layer.on("tileload", () => (came += 1));
    layer.on("tileerror", () => (failed += 1));
    layer.on("load", () => {
      if (layer === this.layer) this.tell(failed === 0 ? "ok" : came === 0 ? "silent" : "partly");
    });
    this.layer = layer.addTo(this.map);
  }

  private tell(state: GroundState): void {
    if (state === this.state) return;
    this.state = state;
    this.heard(state);
  }
}
