import { expect, test } from "vitest";
import { TileDrawer } from "../../src/ui/tile-drawer";
import type { TilePainter } from "../../src/ui/tile-painter";
import type { Drawing } from "../../src/ui/vector-paint";

class Worker {
  readonly asked: { drawing: Drawing; answer: (picture: ImageBitmap | null) => void }[] = [];
  closed = 0;
  here = true;
  readonly painter = (): TilePainter | null => (this.here ? (drawing, answer) => this.asked.push({ drawing, answer }) : null);

  answer(index: number): void {
    this.asked[index]?.answer({ close: () => (this.closed += 1) } as unknown as ImageBitmap);
  }
}

const tick = (): Promise<void> => new Promise((done) => queueMicrotask(() => done()));

function made(worker: Worker): { drawer: TileDrawer; drawn: HTMLCanvasElement[]; wish: (line: number) => void } {
  const drawn: HTMLCanvasElement[] = [];
  let lineWidth = 1;
  const none = new Uint8Array();
  const shapes = { extent: 4096, count: 0, types: none, cells: none, ringStart: Uint32Array.of(0), pointStart: Uint32Array.of(0), points: new Int32Array() };
  const frame = { width: 1, height: 1, scale: 1, left: 0, top: 0, pixel: 1 };
  const drawingOf = (): Drawing => ({ shapes, tones: new Uint16Array(), palette: [], frame, fillOpacity: 1, lineWidth, symbol: "circle", radius: 1 });
  const drawer = new TileDrawer({ drawingOf, onDrawn: (canvas) => drawn.push(canvas) }, worker.painter);
  return { drawer, drawn, wish: (line) => (lineWidth = line) };
}

const canvases = (count: number): HTMLCanvasElement[] => Array.from({ length: count }, () => document.createElement("canvas"));

test("two are drawn at once, the next when one is there, and it is busy until the last", async () => {
  const worker = new Worker();
  const { drawer, drawn } = made(worker);
  const tiles = canvases(3);
  drawer.draw(tiles);
  await tick();
  expect(worker.asked).toHaveLength(2);
  worker.answer(0);
  expect([worker.asked.length, drawn, worker.closed]).toEqual([3, [tiles[0]], 1]);
  worker.answer(1);
  expect(drawer.busy).toBe(true);
  worker.answer(2);
  expect([drawer.busy, drawn.length, worker.closed]).toEqual([false, 3, 3]);
});

test("of many wishes for a canvas the last one is drawn, after the one under way", async () => {
  const worker = new Worker();
  const { drawer, drawn, wish } = made(worker);
  const [tile] = canvases(1) as [HTMLCanvasElement];
  drawer.draw([tile]);
  await tick();
  for (const line of [2, 3, 4]) {
    wish(line);
    drawer.draw([tile]);
    await tick();
  }
  expect(worker.asked.map(({ drawing }) => drawing.lineWidth)).toEqual([1]);
  worker.answer(0);
  expect(worker.asked.map(({ drawing }) => drawing.lineWidth)).toEqual([1, 4]);
  worker.answer(1);
  expect([drawn.length, drawer.busy]).toEqual([2, false]);
});

test("a picture for a canvas that is gone is closed and shown nowhere", async () => {
  const worker = new Worker();
  const { drawer, drawn } = made(worker);
  const tiles = canvases(2);
  drawer.draw(tiles);
  await tick();
  drawer.drop(tiles[0] as HTMLCanvasElement);
  drawer.stop();
  worker.answer(0);
  worker.answer(1);
  expect([drawn, worker.closed, drawer.busy]).toEqual([[], 2, false]);
});

test("where no worker draws, or it fails, the page does", async () => {
  const worker = new Worker();
  const { drawer, drawn } = made(worker);
  const tiles = canvases(3);
  drawer.draw(tiles.slice(0, 1));
  await tick();
  worker.here = false;
  worker.asked[0]?.answer(null);
  expect(drawn).toEqual(tiles.slice(0, 1));
  drawer.draw(tiles.slice(1));
  await new Promise((done) => requestAnimationFrame(done));
  expect([drawn, drawer.busy, worker.asked.length]).toEqual([tiles, false, 1]);
});
