import Pbf from "pbf";
import { expect, test } from "vitest";
import { propertiesOf } from "../../src/ui/vector-columns";
import { buffersOf, decode, featuresAt } from "../../src/ui/vector-tile";
import type { DecodedTile } from "../../src/ui/vector-tile";

interface Made {
  id: number;
  type: 1 | 2 | 3;
  rings: [number, number][][];
  classValue?: number;
}

const zigzag = (value: number): number => (value << 1) ^ (value >> 31);

function commands(feature: Made): number[] {
  const out: number[] = [];
  let [x, y] = [0, 0];
  for (const ring of feature.rings) {
    ring.forEach(([px, py], index) => {
      if (index === 0) out.push((1 << 3) | 1);
      if (index === 1) out.push(((ring.length - 1) << 3) | 2);
      out.push(zigzag(px - x), zigzag(py - y));
      [x, y] = [px, py];
    });
    if (feature.type === 3) out.push((1 << 3) | 7);
  }
  return out;
}

// The Mapbox vector tile 2.1 layout, written by hand: the oracle is the specification, not our decoder.
function encode(features: Made[]): ArrayBuffer {
  const pbf = new Pbf();
  pbf.writeMessage(
    3,
    (_layer: null, out) => {
      out.writeVarintField(15, 2);
      out.writeStringField(1, "features");
      for (const feature of features) {
        out.writeMessage(
          2,
          (_: null, inner) => {
            inner.writeVarintField(1, feature.id);
            if (feature.classValue !== undefined) inner.writePackedVarint(2, [0, features.indexOf(feature)]);
            inner.writeVarintField(3, feature.type);
            inner.writePackedVarint(4, commands(feature));
          },
          null,
        );
      }
      out.writeStringField(3, "class_value");
      for (const feature of features) out.writeMessage(4, (_: null, inner) => inner.writeVarintField(5, feature.classValue ?? 0), null);
      out.writeVarintField(5, 4096);
    },
    null,
  );
  return pbf.finish().slice().buffer as ArrayBuffer;
}

const square = (x: number, y: number, size: number): [number, number][] => [
  [x, y], [x + size, y], [x + size, y + size], [x, y + size],
];
const hole = (x: number, y: number, size: number): [number, number][] => [...square(x, y, size)].reverse();

function decoded(features: Made[]): DecodedTile {
  const tile = decode(encode(features));
  if (!tile) throw new Error("empty");
  return tile;
}

test("an empty tile is null", () => {
  expect(decode(new ArrayBuffer(0))).toBeNull();
});

test("features keep type, class, box, id and points", () => {
  const tile = decoded([
    { id: 7, type: 3, rings: [square(100, 100, 50)], classValue: 2 },
    { id: 8, type: 1, rings: [[[-3, 9]]] },
  ]);
  expect([tile.count, tile.extent]).toEqual([2, 4096]);
  expect([...tile.types]).toEqual([3, 1]);
  expect([...tile.classes]).toEqual([2, -1]);
  expect([...tile.boxes]).toEqual([100, 100, 150, 150, -3, 9, -3, 9]);
  expect([0, 1].map((feature) => propertiesOf(tile.columns, feature))).toEqual([{ fid: 7, class_value: 2 }, { fid: 8 }]);
  expect(new Set(buffersOf(tile)).size).toBe(9);
});

test("a click inside hits, in a hole or beside it does not, and near the edge it does", () => {
  const tile = decoded([{ id: 1, type: 3, rings: [square(0, 0, 1000), hole(400, 400, 200)], classValue: 1 }]);
  expect(featuresAt(tile, 100, 100, 0)).toEqual([0]);
  expect(featuresAt(tile, 500, 500, 0)).toEqual([]);
  expect(featuresAt(tile, 1030, 500, 0)).toEqual([]);
  expect(featuresAt(tile, 1030, 500, 40)).toEqual([0]);
});

test("of features above each other the one drawn last comes first", () => {
  const tile = decoded([
    { id: 1, type: 3, rings: [square(0, 0, 100)], classValue: 1 },
    { id: 2, type: 3, rings: [square(50, 50, 100)], classValue: 1 },
  ]);
  expect(featuresAt(tile, 75, 75, 0)).toEqual([1, 0]);
});

test("of cells side by side only the one under the pointer is hit, whatever the tolerance", () => {
  const cells = [square(0, 0, 64), square(64, 0, 64)].map((ring, id): Made => ({ id, type: 3, rings: [ring], classValue: 1 }));
  const tile = { ...decoded(cells), cells: Uint8Array.of(1, 1) };
  expect(featuresAt(tile, 60, 30, 64)).toEqual([0]);
});

test("points and lines are hit within the tolerance", () => {
  const tile = decoded([
    { id: 1, type: 1, rings: [[[500, 500]]] },
    { id: 2, type: 2, rings: [[[0, 0], [1000, 0]]] },
  ]);
  expect(featuresAt(tile, 506, 508, 10)).toEqual([0]);
  expect(featuresAt(tile, 506, 509, 10)).toEqual([]);
  expect(featuresAt(tile, 300, 9, 10)).toEqual([1]);
});

test("a point is in a random star exactly when an even-odd count over its edges says so", () => {
  let seed = 7;
  const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const ring = Array.from({ length: 24 }, (_, i): [number, number] => {
    const [angle, radius] = [(i / 24) * 2 * Math.PI, 300 + random() * 1500];
    return [Math.round(2048 + Math.cos(angle) * radius), Math.round(2048 + Math.sin(angle) * radius)];
  });
  const tile = decoded([{ id: 1, type: 3, rings: [ring], classValue: 1 }]);
  for (let n = 0; n < 300; n++) {
    const [x, y] = [random() * 4096, random() * 4096 + 0.5];
    let crossings = 0;
    ring.forEach(([ax, ay], i) => {
      const [bx, by] = ring[(i + 1) % ring.length] ?? [ax, ay];
      if ((ay <= y && by > y) || (by <= y && ay > y)) {
        if (ax + ((y - ay) / (by - ay)) * (bx - ax) > x) crossings += 1;
      }
    });
    expect(featuresAt(tile, x, y, 0).length, `${x},${y}`).toBe(crossings % 2);
  }
});
