// What came of the photos that were sent: one report of all the jobs that read them.
import type { JSX } from "preact";
import { plural } from "../ui/format";
import type { Refused } from "./sender";
import type { ReadReport } from "./types";

/** Two reports as one. */
export function joined(one: ReadReport | null, other: ReadReport): ReadReport {
  if (!one) return other;
  return {
    added: one.added + other.added,
    placed: one.placed + other.placed,
    unplaced: [...one.unplaced, ...other.unplaced],
    doubles: [...one.doubles, ...other.doubles],
    refused: [...one.refused, ...other.refused],
  };
}

/** Tell it. */
export function Report({ report, notSent }: { report: ReadReport | null; notSent: readonly Refused[] }): JSX.Element | null {
  const refused = [...notSent, ...(report?.refused ?? []).map(({ name, message, fix }) => ({ name, message: `${message} ${fix}`.trim() }))];
  if (!report && refused.length === 0) return null;
  const sentences = report
    ? [
        report.added > 0 ? `${plural(report.added, "photo")} added.` : "",
        report.unplaced.length > 0 ? `${report.unplaced.length} of them without a position: place them on the map.` : "",
        report.doubles.length > 0 ? `${plural(report.doubles.length, "photo")} were here already.` : "",
      ]
    : [];
  return (
    <div class={refused.length > 0 ? "note warn" : "note ok"} role="status">
      <strong>{sentences.filter(Boolean).join(" ") || "Nothing was added."}</strong>
      {refused.length > 0 && (
        <ul class="photo-refused small-text">
          {refused.slice(0, 20).map((item, index) => (
            <li key={index}>
              <strong class="break-anywhere">{item.name}</strong> {item.message}
            </li>
          ))}
          {refused.length > 20 && <li>and {refused.length - 20} more</li>}
        </ul>
      )}
    </div>
  );
}
