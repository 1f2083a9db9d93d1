// Rings around the features that are pointed at or chosen, on a canvas of their own above each tile that has one: the
// tiles below are not drawn again.
import { featuresWith } from "./vector-columns";
import { drawRings } from "./vector-paint";
import type { Frame } from "./vector-paint";
import type { DecodedTile } from "./vector-tile";

/** What is known of a tile on the map. */
interface Ringed {
  tile: DecodedTile;
  chosen: ReadonlySet<string>;
  /** Its chosen features. */
  chosenHere: readonly number[];
  features: readonly number[];
  /** Where it has a ring. */
  canvas: HTMLCanvasElement | null;
}

export class TileRings {
  private readonly tiles = new Map<HTMLCanvasElement, Ringed>();
  private pointed: ReadonlySet<string> = new Set();
  private chosen: ReadonlySet<string> = new Set();

  /** Ring one feature by its id (null: none); returns whether it is another one than before. */
  point(id: string | null): boolean {
    if (id === null ? this.pointed.size === 0 : this.pointed.has(id)) return false;
    this.pointed = new Set(id === null ? [] : [id]);
    return true;
  }

  /** Ring these features too. */
  choose(ids: ReadonlySet<string>): void {
    this.chosen = ids;
  }

  /** Show the rings of a tile whose canvas is on the map. */
  show(below: HTMLCanvasElement, tile: DecodedTile | null, frameOf: (tile: DecodedTile) => Frame): void {
    if (!tile) {
      this.drop(below);
      return;
    }
    const before = this.tiles.get(below);
    const ids = tile.columns.get("id");
    const chosenHere = before?.tile === tile && before.chosen === this.chosen ? before.chosenHere : featuresWith(ids, this.chosen);
    const features = [...new Set([...chosenHere, ...featuresWith(ids, this.pointed)])];
    const same = before?.tile === tile && before.features.join() === features.join();
    let canvas = before?.canvas ?? null;
    if (features.length === 0) {
      canvas?.remove();
      canvas = null;
    } else if (!same) {
      canvas ??= document.createElement("canvas");
      put(canvas, below, tile, features, frameOf(tile));
    }
    this.tiles.set(below, { tile, chosen: this.chosen, chosenHere, features, canvas });
  }

  /** Forget a tile. */
  drop(below: HTMLCanvasElement): void {
    this.tiles.get(below)?.canvas?.remove();
    this.tiles.delete(below);
  }
}

function put(canvas: HTMLCanvasElement, below: HTMLCanvasElement, tile: DecodedTile, features: readonly number[], frame: Frame): void {
  canvas.className = "tile-rings";
  canvas.width = frame.width;
  canvas.height = frame.height;
  canvas.style.width = below.style.width;
  canvas.style.height = below.style.height;
  L.DomUtil.setPosition(canvas, L.DomUtil.getPosition(below));
  if (below.nextSibling !== canvas) below.after(canvas);
  const pen = canvas.getContext("2d");
  if (pen) drawRings(pen, tile, features, frame);
}
