// Who made a sample, and decisions added up by that or by class.

import { percent } from "../../ui/format";
import type { Sample } from "../types";
import type { Figure } from "./rest";

/** One maker's decisions, all classes together or one. */
interface Line {
  readonly key: string;
  readonly name: string;
  readonly accepted: number;
  readonly fixed: number;
  readonly rejected: number;
}

export function linesOf(figures: readonly Figure[], by: "maker" | "class", nameOf: (value: number | null) => string): Line[] {
  const lines = new Map<string, Line>();
  for (const { person, source, class_value, accepted, fixed, rejected } of figures) {
    const maker = person?.name ?? (source === "import" ? "Imports" : source === "human" ? "Somebody who left" : "Models");
    const name = by === "maker" ? maker : nameOf(class_value);
    const key = by === "maker" ? String(person?.id ?? source) : String(class_value);
    const line = lines.get(key) ?? { key, name, accepted: 0, fixed: 0, rejected: 0 };
    lines.set(key, { ...line, accepted: line.accepted + accepted, fixed: line.fixed + fixed, rejected: line.rejected + rejected });
  }
  const sum = ({ accepted, fixed, rejected }: Line): number => accepted + fixed + rejected;
  return [...lines.values()].sort((a, b) => sum(b) - sum(a));
}

/** Who made a sample, in words; of a suggestion the model, where it is told, and how sure it was. */
export function makerOf({ verified, source, score, properties, updatedBy }: Sample): string {
  if (verified) return `By ${updatedBy ?? source}`;
  const { model } = properties;
  const maker = typeof model === "string" && model !== "" ? model : source === "model" ? "A model" : `A file of ${updatedBy ?? "somebody"}`;
  return `${maker} suggests it${score === null ? "" : `, score ${percent(score)}`}`;
}
