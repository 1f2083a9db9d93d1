// A map's layout as it is written: its basemap, and every layer with how it is shown, the bottom one first. Pure.
import { queryOf } from "../look/picture";
import type { ImageryStyle } from "../look/picture";
import { moved } from "./state";
import { sourceOf } from "./types";
import type { LayerRow, MapJson } from "./types";

export interface PlacedLayer {
  kind: "imagery" | "features";
  source: string;
  title: string;
  visible: boolean;
  opacity: number;
  style: object;
  group: string;
}

export interface Layout {
  /** What lies under the layers: "" the site's default, "plain", "site:<id>" or "imagery:<id>". */
  basemap: string;
  layers: PlacedLayer[];
}

/** The layout of a map as it is now. */
export function layoutOf(map: MapJson): Layout {
  const layers = map.layers.map((row): PlacedLayer => ({
    kind: row.kind === "features" ? "features" : "imagery",
    source: sourceOf(row).id,
    title: row.title,
    visible: row.visible,
    opacity: row.opacity,
    style: row.style,
    group: row.group,
  }));
  return { basemap: map.basemap.choice, layers };
}

/** The map with another layout, as far as it is known here: layers that come back, and another basemap, are shown when the server answers. */
export function withLayout(map: MapJson, layout: Layout): MapJson {
  const rows = new Map(map.layers.map((row) => [sourceOf(row).id, row]));
  const layers = layout.layers.flatMap((placed): LayerRow[] => {
    const row = rows.get(placed.source);
    if (!row) return [];
    const { title, visible, opacity, style, group } = placed;
    if (row.kind === "features") return [{ ...row, title, visible, opacity, style, group }];
    const picture = row.style === style ? row.picture : { ...row.picture, query: queryOf(style as ImageryStyle) };
    return [{ ...row, title, visible, opacity, style, group, picture }];
  });
  return { ...map, basemap: { ...map.basemap, choice: layout.basemap }, layers };
}

/** The layout with one layer changed; one that joins a group comes to its others. */
export function changed(layout: Layout, source: string, change: Partial<PlacedLayer>): Layout {
  return { ...layout, layers: gathered(layout.layers.map((placed) => (placed.source === source ? { ...placed, ...change } : placed))) };
}

/** The layout without a layer. */
export function without(layout: Layout, source: string): Layout {
  return { ...layout, layers: layout.layers.filter((placed) => placed.source !== source) };
}

/** The layout with a group called otherwise; "" takes it apart. */
export function groupRenamed(layout: Layout, from: string, to: string): Layout {
  return { ...layout, layers: gathered(layout.layers.map((placed) => (placed.group === from ? { ...placed, group: to } : placed))) };
}

/** Layers of a group stand together, at the place of its lowest; as the server keeps them. */
export function gathered<T extends { group: string }>(layers: readonly T[]): T[] {
  const blocks = new Map<string | number, T[]>();
  layers.forEach((placed, index) => {
    const key = placed.group === "" ? index : placed.group;
    blocks.set(key, [...(blocks.get(key) ?? []), placed]);
  });
  return [...blocks.values()].flat();
}

/** A line of the layer tree: a group's head, or a layer. */
export type Line<T> = { head: string } | { item: T };

/** The lines of the tree, the top first: each group's head before its layers. */
export function linesOf<T extends { group: string }>(topFirst: readonly T[]): Line<T>[] {
  return topFirst.flatMap((item, index): Line<T>[] =>
    item.group !== "" && topFirst[index - 1]?.group !== item.group ? [{ head: item.group }, { item }] : [{ item }],
  );
}

/**
 * Put a layer among the other lines of the tree: before line `at` of those without it. Between two layers of a group, or
 * below its head, it joins the group; below a group's last layer `inside` decides.
 */
export function droppedLayer<T extends { group: string }>(topFirst: readonly T[], item: T, at: number, inside: boolean): T[] {
  const others = linesOf(topFirst.filter((other) => other !== item));
  const [before, after] = [others[at - 1], others[at]];
  let group = "";
  if (before && "head" in before) group = before.head;
  else if (before && before.item.group !== "") {
    const goesOn = after !== undefined && "item" in after && after.item.group === before.item.group;
    if (goesOn || inside) group = before.item.group;
  }
  const lines: Line<T>[] = [...others.slice(0, at), { item: { ...item, group } }, ...others.slice(at)];
  return lines.flatMap((line) => ("item" in line ? [line.item] : []));
}

/** Put a whole group before block `at` of the other blocks (layers without a group, and groups). */
export function droppedGroup<T extends { group: string }>(topFirst: readonly T[], group: string, at: number): T[] {
  const blocks = blocksOf(topFirst);
  const from = blocks.findIndex((block) => block[0]?.group === group);
  return from < 0 ? [...topFirst] : moved(blocks, from, at).flat();
}

/** Layers without a group one by one, groups whole; in their order. */
export function blocksOf<T extends { group: string }>(topFirst: readonly T[]): T[][] {
  const blocks: T[][] = [];
  for (const item of topFirst) {
    const last = blocks.at(-1);
    if (last && item.group !== "" && last[0]?.group === item.group) last.push(item);
    else blocks.push([item]);
  }
  return blocks;
}

/** One step of the keyboard: up or down a line, into a group at its border and out of it again. */
export function stepped<T extends { group: string }>(topFirst: readonly T[], item: T, step: -1 | 1): T[] {
  const index = topFirst.indexOf(item);
  const next = topFirst[index + step];
  const replaced = (group: string): T[] => topFirst.map((other) => (other === item ? { ...item, group } : other));
  if (item.group !== "" && next?.group !== item.group) return replaced("");
  if (next && item.group === "" && next.group !== "") return replaced(next.group);
  return next ? moved(topFirst, index, index + step) : [...topFirst];
}
