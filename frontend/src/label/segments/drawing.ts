// Segments on the canvas: thin borders, and what is chosen filled.

import type { Frame } from "../canvas-pane";
import type { Position } from "../types";
import { keyOf } from "./block";
import type { Block } from "./block";
import type { Segments } from "./segments";

const BORDER = [255, 255, 255, 120] as const;
const CHOSEN_ALPHA = 120;
const AWAY = "#ff5c5c";

interface Painted {
  readonly borders: OffscreenCanvas;
  chosen: OffscreenCanvas | null;
  /** What `chosen` shows. */
  shown: string;
}

/** Draws segments, and keeps a picture of each block for the next time. */
export class SegmentDrawing {
  private painted = new WeakMap<Block, Painted>();

  constructor(private readonly segments: Segments) {}

  /** `stroke`: of the drag that is on its way; `colour`: of the class that is drawn with. */
  draw(pen: CanvasRenderingContext2D, frame: Frame, stroke: readonly Position[], colour: string): void {
    const { segments, add } = this.segments.preview(stroke);
    for (const block of this.segments.blocks) {
      const painted = this.of(block);
      const fresh = new Set(segments.filter((one) => one.block === keyOf(block)).map(({ number }) => number));
      place(pen, frame, block, () => {
        pen.drawImage(painted.borders, 0, 0);
        const chosen = this.chosenOf(block, painted, colour);
        if (chosen) pen.drawImage(chosen, 0, 0);
        if (fresh.size) pen.drawImage(filled(block, fresh, add ? colour : AWAY), 0, 0);
      });
    }
  }

  private of(block: Block): Painted {
    const known = this.painted.get(block);
    if (known) return known;
    const made = { borders: bordered(block), chosen: null, shown: "" };
    this.painted.set(block, made);
    return made;
  }

  private chosenOf(block: Block, painted: Painted, colour: string): OffscreenCanvas | null {
    const numbers = this.segments.chosenIn(block);
    const shown = numbers ? `${colour} ${[...numbers].join(" ")}` : "";
    if (shown !== painted.shown) {
      painted.chosen = numbers ? filled(block, numbers, colour) : null;
      painted.shown = shown;
    }
    return painted.chosen;
  }
}

/** Draw in pixels of a block. */
function place(pen: CanvasRenderingContext2D, { scale, origin }: Frame, block: Block, draw: () => void): void {
  const [[x, y], right, down] = [block.origin, block.right, block.down];
  pen.save();
  pen.imageSmoothingEnabled = false;
  pen.transform(right[0] * scale, right[1] * scale, down[0] * scale, down[1] * scale, x * scale - origin[0], y * scale - origin[1]);
  draw();
  pen.restore();
}

function painting({ side }: Block, paint: (data: Uint8ClampedArray) => void): OffscreenCanvas {
  const canvas = new OffscreenCanvas(side, side);
  const pen = canvas.getContext("2d");
  if (!pen) return canvas;
  const image = pen.createImageData(side, side);
  paint(image.data);
  pen.putImageData(image, 0, 0);
  return canvas;
}

/** A pixel is a border where its neighbour to the right or below is of another segment, or where its block begins. */
function bordered(block: Block): OffscreenCanvas {
  const { side, labels } = block;
  return painting(block, (data) => {
    for (let at = 0; at < labels.length; at++) {
      const edge = at < side || at % side === 0 || (at % side < side - 1 && labels[at] !== labels[at + 1]) || (at + side < labels.length && labels[at] !== labels[at + side]);
      if (edge) data.set(BORDER, at * 4);
    }
  });
}

function filled(block: Block, numbers: ReadonlySet<number>, colour: string): OffscreenCanvas {
  const rgba = [1, 3, 5].map((from) => parseInt(colour.slice(from, from + 2), 16));
  return painting(block, (data) => {
    block.labels.forEach((number, at) => {
      if (numbers.has(number)) data.set([...rgba, CHOSEN_ALPHA], at * 4);
    });
  });
}
