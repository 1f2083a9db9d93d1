import type { TaskJson } from "../../../src/label/tasks/types";

/** A task one degree wide, at its number's place. */
export function task(number: number, values: Partial<TaskJson["properties"]> = {}): TaskJson {
  const ring = [[number, 0], [number + 1, 0], [number + 1, 1], [number, 1], [number, 0]];
  return {
    id: `task ${number}`,
    geometry: { type: "Polygon", coordinates: [ring] },
    properties: {
      number, state: "todo", priority: 0, uncertainty: null, seq: number, assigned_to: null, holder: null, done_by: null, reviewed_by: null,
      leased: false, lease_s: 0, note: "", must_read: false, split: false, on_sheets: false, area_m2: 100, proposals: 0, token: null, ...values,
    },
  };
}
