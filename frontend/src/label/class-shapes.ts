// Which shapes a class may be drawn as. Pure.

import type { ClassShape, Geometry, LabelClass } from "./types";
import type { Tool } from "./sketches";

export const SHAPES: readonly ClassShape[] = ["polygon", "line", "point"];
export const SHAPE_NAMES: Readonly<Record<ClassShape, string>> = { polygon: "areas", line: "lines", point: "points" };

export function shapeOfGeometry({ type }: Geometry): ClassShape {
  return type.endsWith("Polygon") ? "polygon" : type.endsWith("LineString") ? "line" : "point";
}

/** What a tool draws; null: it draws nothing new, or what was drawn last. */
export function shapeOfTool(tool: Tool): ClassShape | null {
  switch (tool) {
    case "select": case "split": case "cut": case "reshape": case "eraser": case "stamp":
      return null;
    case "line": case "point":
      return tool;
    default:
      return "polygon";
  }
}

/** Whether a class takes a shape; what has no class takes any. */
export function takes(found: Pick<LabelClass, "shapes"> | undefined, shape: ClassShape): boolean {
  return found?.shapes?.includes(shape) ?? true;
}

/** Whether any class that is offered takes a shape: without classes everything is taken. */
export function takenByAny(classes: readonly LabelClass[], shape: ClassShape): boolean {
  const living = classes.filter(({ retired }) => !retired);
  return living.length === 0 || living.some((one) => takes(one, shape));
}

/** What a class takes, in words; "" where it takes anything. */
export function shapesSaid({ shapes }: Pick<LabelClass, "shapes">): string {
  if (!shapes || shapes.length === SHAPES.length) return "";
  return SHAPES.filter((shape) => shapes.includes(shape)).map((shape) => SHAPE_NAMES[shape]).join(" and ");
}
