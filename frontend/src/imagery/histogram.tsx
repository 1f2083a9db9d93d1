// One band's histogram, drawn as a shape, with the part that the picture is stretched between.
import type { JSX } from "preact";
import { number } from "../ui/format";
import { HEIGHT, outline, place, WIDTH } from "../ui/histogram";
import type { Band } from "./types";

/** Draw a band. */
export function Histogram(props: { band: Band; whole: boolean; stretch: readonly [number, number] | null }): JSX.Element | null {
  const { band, stretch } = props;
  const { histogram } = band;
  if (!histogram) return null;
  const { counts, edges } = histogram;
  // Bins of whole numbers end before the next number.
  const last = (edges.at(-1) ?? 0) - (props.whole ? 1 : 0);
  const said = `Histogram of ${band.name}: ${number(band.min)} to ${number(band.max)}, mean ${number(band.mean)}`;
  return (
    <figure class="histogram">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={said}>
        {stretch && (
          <rect
            class="histogram-range"
            x={place(stretch[0], edges)}
            width={Math.max(1, place(stretch[1], edges) - place(stretch[0], edges))}
            y="0"
            height={HEIGHT}
          />
        )}
        <polygon class="histogram-shape" points={outline(counts)} />
      </svg>
      <figcaption class="row small-text muted numeric">
        <span>{number(edges[0])}</span>
        <span class="spacer" />
        <span>{number(last)}</span>
      </figcaption>
    </figure>
  );
}
