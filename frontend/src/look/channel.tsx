// One channel's stretch: the band's histogram with a handle at black and one at white.
import type { JSX } from "preact";
import { NumberInput, RangeSlider } from "../ui/components";
import { number } from "../ui/format";
import { HEIGHT, outline, WIDTH } from "../ui/histogram";
import type { BandStatistics } from "./picture";

interface ChannelProps {
  name: string;
  range: readonly [number, number];
  /** Null where nothing is stored, as of band math: only numbers then. */
  band: BandStatistics | null;
  whole: boolean;
  onChange: (range: [number, number]) => void;
}

/** Round to about a five-hundredth of the axis, so that words stay short. */
function rounded(value: number, step: number): number {
  return Number((Math.round(value / step) * step).toPrecision(8));
}

/** Histogram, handles and numbers. */
export function Channel({ name, range, band, whole, onChange }: ChannelProps): JSX.Element {
  const [low, high] = range;
  const [counts, edges] = band?.histogram ?? [[], []];
  const [min, max] = [edges[0] ?? low, edges.at(-1) ?? high];
  const step = whole ? Math.max(1, Math.round((max - min) / 500)) : 10 ** Math.floor(Math.log10((max - min || 1) / 200));
  const set = (from: number, to: number): void => {
    if (from < to) onChange([from, to]);
  };
  return (
    <div class="channel">
      {counts.length > 0 && (
        <RangeSlider
          label={name}
          low={Math.max(low, min)}
          high={Math.min(high, max)}
          min={min}
          max={max}
          step={step}
          said={(value) => number(value)}
          onChange={(from, to) => set(from === Math.max(low, min) ? low : rounded(from, step), to === Math.min(high, max) ? high : rounded(to, step))}
        >
          <svg class="histogram-svg" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
            <polygon class="histogram-shape" points={outline(counts)} />
          </svg>
        </RangeSlider>
      )}
      <div class="pair">
        <NumberInput label={`${name}: black at`} value={Number(low.toPrecision(6))} onChange={(value) => value !== null && set(value, high)} />
        <NumberInput label={`${name}: white at`} value={Number(high.toPrecision(6))} onChange={(value) => value !== null && set(low, value)} />
      </div>
    </div>
  );
}
