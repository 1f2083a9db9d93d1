// One band's histogram, drawn as a shape, with the part that the picture is stretched between.
import type { JSX } from "preact";
import { number } from "../ui/format";
import type { Band } from "./types";

const WIDTH = 256;
const HEIGHT = 56;

/** The outline of a histogram in a box of WIDTH x HEIGHT; high single bins are cut so that the rest is seen. */
export function outline(counts: readonly number[]): string {
  const sorted = [...counts].sort((a, b) => a - b);
  const top = Math.max(1, (sorted[Math.floor(sorted.length * 0.99)] ?? 1) * 1.1);
  const step = WIDTH / counts.length;
  const points = counts.map((count, index) => {
    const y = (HEIGHT * (1 - Math.min(1, count / top))).toFixed(1);
    return `${(index * step).toFixed(1)},${y} ${((index + 1) * step).toFixed(1)},${y}`;
  });
  return `0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`;
}

/** Where a value lies on the histogram's axis. */
export function place(value: number, edges: readonly number[]): number {
  const low = edges[0] ?? 0;
  const high = edges.at(-1) ?? 1;
  return Math.min(WIDTH, Math.max(0, ((value - low) / (high - low || 1)) * WIDTH));
}

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
