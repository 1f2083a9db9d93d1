// What a drawn line or a key does to samples: pure, from samples to the changes of one step.

import { isArea, validity } from "./geometry";
import { asArea, filled, hasHoles, joined, separated, swept, without } from "./ops/clip";
import type { Area } from "./ops/clip";
import { placedAt, turned } from "./ops/figures";
import { reshapedBy } from "./ops/reshape";
import { simplified, squared } from "./ops/simplify";
import { splitBy } from "./ops/split";
import { newId } from "./types";
import type { Geometry, Id, Position, Sample } from "./types";
import type { Change } from "./undo";

/** A step ready to be taken, or why there is none. */
export type Outcome =
  | { readonly done: true; readonly label: string; readonly changes: readonly Change[]; readonly whole: boolean; readonly select: readonly Id[] }
  | { readonly done: false; readonly reason: string };

const no = (reason: string): Outcome => ({ done: false, reason });

function step(label: string, changes: readonly Change[], whole: boolean): Outcome {
  for (const { after } of changes) {
    const { valid, reason } = after ? validity(after.geometry) : { valid: true, reason: "" };
    if (!valid) return no(`${reason} Nothing was changed.`);
  }
  return { done: true, label, changes, whole, select: changes.flatMap(({ id, after }) => (after ? [id] : [])) };
}

/** A new sample like another one, elsewhere or of another shape. */
export function sampleLike(like: Pick<Sample, "classValue" | "properties">, geometry: Geometry): Sample {
  const { classValue, properties } = like;
  return { id: newId(), geometry, classValue, properties, version: 0, fid: null, score: null, source: "human", verified: true, updatedBy: null };
}

export function created(after: Sample): Change {
  return { id: after.id, before: null, after };
}

function reshapedTo(before: Sample, geometry: Geometry): Change {
  return { id: before.id, before, after: { ...before, geometry } };
}

const counted = (one: string, count: number): string => (count === 1 ? `${one} sample` : `${one} ${count} samples`);

function areasOf(samples: readonly Sample[]): { sample: Sample; area: Area }[] {
  return samples.flatMap((sample) => {
    const area = asArea(sample.geometry);
    return area ? [{ sample, area }] : [];
  });
}

/** Cut samples in pieces along a line: the largest piece keeps the sample's history, the others are new. */
export function splitSamples(samples: readonly Sample[], line: readonly Position[]): Outcome {
  let cut = 0;
  const changes = areasOf(samples).flatMap(({ sample, area }): Change[] => {
    const [first, ...others] = splitBy(area, line) ?? [];
    if (!first) return [];
    cut += 1;
    return [reshapedTo(sample, first), ...others.map((piece) => created(sampleLike(sample, piece)))];
  });
  return changes.length ? step(counted("Split", cut), changes, true) : no("The line cuts nothing through. Draw it from outside to outside.");
}

/** Make one sample of several: the largest keeps its history and its class, the others go. */
export function mergeSamples(samples: readonly Sample[]): Outcome {
  const found = areasOf(samples);
  if (found.length < 2) return no("Select two or more areas to merge.");
  const area = joined(found.map((one) => one.area));
  const bySize = [...found].sort((a, b) => sizeOf(b.area) - sizeOf(a.area));
  const [kept, ...others] = bySize.map(({ sample }) => sample);
  if (!area || !kept) return no("These cannot be merged.");
  return step(counted("Merge", found.length), [reshapedTo(kept, area), ...others.map((before): Change => ({ id: before.id, before, after: null }))], true);
}

/** Comparable only within one place on Earth, which is all that is needed. */
function sizeOf(area: Area): number {
  return separated(area).reduce((sum, { coordinates: [ring = []] }) => {
    const twice = ring.reduce((all, [x = 0, y = 0], i) => {
      const [nx = 0, ny = 0] = ring[(i + 1) % ring.length] ?? [];
      return all + x * ny - nx * y;
    }, 0);
    return sum + Math.abs(twice);
  }, 0);
}

/**
 * Cut an area out of samples: at the border a bay, inside a hole; what is covered whole goes, and so do parts of under
 * `crumbM2` square metres that the cut leaves.
 */
export function cutSamples(samples: readonly Sample[], away: Area, crumbM2 = 0): Outcome {
  const changes = areasOf(samples).flatMap(({ sample, area }): Change[] => {
    const cut = without(area, [away]);
    if (cut === area) return [];
    const left = cut && swept(cut, crumbM2);
    return left ? [reshapedTo(sample, left)] : [{ id: sample.id, before: sample, after: null }];
  });
  return changes.length ? step(counted("Cut", changes.length), changes, true) : no("Nothing lies under the cut.");
}

/** Grow a sample by an area, as a brush does. */
export function grownSample(sample: Sample, by: Area): Outcome {
  const area = asArea(sample.geometry);
  const made = area && joined([area, by]);
  return made ? step("Paint sample", [reshapedTo(sample, made)], false) : no("Only areas can be painted on.");
}

/** Give the outline of the first sample that the line meets twice a new course. */
export function reshapeSample(samples: readonly Sample[], line: readonly Position[]): Outcome {
  for (const { sample, area } of areasOf(samples)) {
    const made = reshapedBy(area, line);
    if (made) return step("Reshape sample", [reshapedTo(sample, made)], false);
  }
  return no("The line has to leave the outline and meet it again.");
}

function each(samples: readonly Sample[], label: string, change: (geometry: Geometry) => Geometry, why: string): Outcome {
  const changes = samples.flatMap((sample): Change[] => {
    const geometry = change(sample.geometry);
    // What would cross itself afterwards stays as it is.
    return geometry === sample.geometry || !validity(geometry).valid ? [] : [reshapedTo(sample, geometry)];
  });
  return changes.length ? step(counted(label, changes.length), changes, false) : no(why);
}

export function squareSamples(samples: readonly Sample[]): Outcome {
  return each(samples.filter(({ geometry }) => isArea(geometry)), "Square", squared, "Select areas with at least four corners to square.");
}

/** `tolerance` in world units. */
export function simplifySamples(samples: readonly Sample[], tolerance: number): Outcome {
  return each(samples, "Simplify", (geometry) => simplified(geometry, tolerance), "No corner can go: all matter by more than a pixel of the imagery.");
}

export function fillHoles(samples: readonly Sample[]): Outcome {
  const holed = areasOf(samples).filter(({ area }) => hasHoles(area));
  return each(holed.map(({ sample }) => sample), "Fill holes of", (geometry) => { const area = asArea(geometry); return area ? filled(area, null) : geometry; }, "The selected samples have no holes.");
}

/** Make every part of a sample of several parts a sample of its own. */
export function separateSamples(samples: readonly Sample[]): Outcome {
  const changes = areasOf(samples).flatMap(({ sample, area }): Change[] => {
    const [first, ...others] = separated(area);
    return first && others.length ? [reshapedTo(sample, first), ...others.map((part) => created(sampleLike(sample, part)))] : [];
  });
  return changes.length ? step("Separate parts", changes, true) : no("The selected samples have one part each.");
}

/** Turned clockwise, each about its own middle. */
export function turnSamples(samples: readonly Sample[], degrees: number): Outcome {
  return each(samples.filter(({ geometry }) => geometry.type !== "Point"), "Turn", (geometry) => turned(geometry, (degrees * Math.PI) / 180), "Select what should turn.");
}

/** What was copied: shapes with their classes, and the place around which they lie (world). */
export interface Clipboard {
  readonly samples: readonly Pick<Sample, "geometry" | "classValue" | "properties">[];
  readonly centre: Position;
}

/** Copies around a place, as they lay around theirs. */
export function pasted({ samples, centre }: Clipboard, place: Position, middleOf: (geometry: Geometry) => Position): Outcome {
  const changes = samples.map((one) => {
    const [x, y] = middleOf(one.geometry);
    return created(sampleLike(one, placedAt(one.geometry, [place[0] + x - centre[0], place[1] + y - centre[1]])));
  });
  return step(counted("Paste", changes.length), changes, false);
}
