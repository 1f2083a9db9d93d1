// The queue of canvases that are to be drawn: a few at a time in the painting worker, or slice by slice on the page's
// thread. A canvas keeps its picture until the next one is there; what is asked for twice is drawn once, as last wished.
import { painterOfPage } from "./tile-painter";
import type { TilePainter } from "./tile-painter";
import { drawTile } from "./vector-paint";
import type { Drawing } from "./vector-paint";

export interface Scene {
  /** What a canvas shall show now; null for nothing. */
  drawingOf: (canvas: HTMLCanvasElement) => Drawing | null;
  /** The canvas shows what was wished when its drawing began. */
  onDrawn: (canvas: HTMLCanvasElement) => void;
}

// One is drawn while the next is on its way: more would only be wishes of the past when a slider is dragged.
const AT_ONCE = 2;
// So long the page's thread is taken in one frame.
const SLICE_MS = 8;

export class TileDrawer {
  private readonly waiting = new Set<HTMLCanvasElement>();
  private readonly underway = new Set<HTMLCanvasElement>();
  private frame = 0;
  private planned = false;

  constructor(
    private readonly scene: Scene,
    private readonly painter: () => TilePainter | null = painterOfPage,
  ) {}

  /** Whether a canvas does not show yet what it shall. */
  get busy(): boolean {
    return this.waiting.size > 0 || this.underway.size > 0;
  }

  /** Draw canvases as soon as it can be. */
  draw(canvases: Iterable<HTMLCanvasElement>): void {
    for (const canvas of canvases) this.waiting.add(canvas);
    if (!this.painter()) {
      this.inNextFrame();
    } else if (!this.planned) {
      this.planned = true;
      queueMicrotask(() => {
        this.planned = false;
        this.work();
      });
    }
  }

  /** Forget a canvas. */
  drop(canvas: HTMLCanvasElement): void {
    this.waiting.delete(canvas);
    this.underway.delete(canvas);
  }

  /** Forget all. */
  stop(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.waiting.clear();
    this.underway.clear();
  }

  private inNextFrame(): void {
    if (this.frame !== 0 || this.waiting.size === 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.work();
    });
  }

  private work(): void {
    const end = performance.now() + SLICE_MS;
    for (const canvas of this.waiting) {
      if (this.underway.has(canvas)) continue;
      if (this.underway.size >= AT_ONCE) return;
      if (performance.now() > end) {
        this.inNextFrame();
        return;
      }
      this.waiting.delete(canvas);
      this.begin(canvas);
    }
  }

  private begin(canvas: HTMLCanvasElement): void {
    const drawing = this.scene.drawingOf(canvas);
    const painter = this.painter();
    if (drawing && painter) {
      this.underway.add(canvas);
      painter(drawing, (picture) => this.arrived(canvas, drawing, picture));
      return;
    }
    this.put(canvas, drawing, null);
  }

  private arrived(canvas: HTMLCanvasElement, drawing: Drawing, picture: ImageBitmap | null): void {
    // A canvas that was dropped meanwhile is nobody's.
    if (this.underway.delete(canvas)) this.put(canvas, drawing, picture);
    picture?.close();
    this.work();
  }

  private put(canvas: HTMLCanvasElement, drawing: Drawing | null, picture: ImageBitmap | null): void {
    const pen = canvas.getContext("2d");
    if (drawing && !picture) {
      if (pen) drawTile(pen, drawing);
    } else if (pen) {
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.clearRect(0, 0, canvas.width, canvas.height);
      if (picture) pen.drawImage(picture, 0, 0);
    }
    this.scene.onDrawn(canvas);
  }
}
