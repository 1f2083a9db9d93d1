// Small samples and operations for the tests of the labeling page.
import type { Action, Operation, Patch, Sample } from "../../src/label/types";

export function square(west: number, south: number, size = 1): GeoJSON.Polygon {
  const [east, north] = [west + size, south + size];
  return { type: "Polygon", coordinates: [[[west, south], [east, south], [east, north], [west, north], [west, south]]] };
}

export function sample(id: string, change: Partial<Sample> = {}): Sample {
  return {
    id, geometry: square(0, 0), classValue: 1, properties: {}, version: 1,
    fid: 1, score: null, source: "human", verified: true, updatedBy: "ana", ...change,
  };
}

let count = 0;

export function operation(action: Action, id: string, patch: Patch = {}, base: Sample | null = null): Operation {
  count += 1;
  return { opId: `op${count}`, id, action, patch, base, order: count };
}
