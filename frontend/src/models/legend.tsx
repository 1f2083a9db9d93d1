// Classes with their colours.
import type { JSX } from "preact";
import type { ModelClass } from "./types";

/** Colour and name of each class, in order. */
export function Legend({ classes }: { classes: readonly ModelClass[] }): JSX.Element {
  return (
    <ul class="legend" aria-label="Classes">
      {classes.map((entry) => (
        <li key={entry.value}>
          <svg width="12" height="12" aria-hidden="true">
            <rect width="12" height="12" rx="2" fill={entry.colour} />
          </svg>
          {entry.name}
        </li>
      ))}
    </ul>
  );
}
