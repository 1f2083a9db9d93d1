import type { JSX } from "preact";

/** A small square in a class's colour. */
export function Swatch({ colour }: { colour: string }): JSX.Element {
  return <span class="swatch" aria-hidden="true" ref={(element) => element?.style.setProperty("background", colour)} />;
}
