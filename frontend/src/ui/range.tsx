// Sliders: one value, or the two ends of a range.
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  /** What the value is in words: "30 %". */
  said: string;
  onChange: (value: number) => void;
}

/** A value on a line, with its label and the value in words. */
export function Slider({ label, value, min, max, step, said, onChange }: SliderProps): JSX.Element {
  const id = useId();
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={said}
        onInput={(event) => onChange(event.currentTarget.valueAsNumber)}
      />
      <output for={id} class="muted small-text numeric">
        {said}
      </output>
    </div>
  );
}

interface RangeProps {
  label: string;
  low: number;
  high: number;
  min: number;
  max: number;
  step: number;
  said: (value: number) => string;
  onChange: (low: number, high: number) => void;
  /** Drawn behind the handles: a histogram. */
  children?: ComponentChildren;
}

/** Two handles on one line: from and to. They do not pass each other. */
export function RangeSlider({ label, low, high, min, max, step, said, onChange, children }: RangeProps): JSX.Element {
  const share = (value: number): number => (max > min ? ((value - min) / (max - min)) * 100 : 0);
  return (
    <div class="range" role="group" aria-label={label}>
      <div class="range-head">
        <span>{label}</span>
        <output class="muted small-text numeric">
          {said(low)} to {said(high)}
        </output>
      </div>
      <div class={`range-track${children ? " tall" : ""}`}>
        <div class="range-fill" style={{ left: `${share(low)}%`, right: `${100 - share(high)}%` }} />
        {children}
        <input
          type="range"
          min={min}
          max={max}
          step={step}
          value={low}
          aria-label={`${label} from`}
          aria-valuetext={said(low)}
          onInput={(event) => {
            const value = Math.min(event.currentTarget.valueAsNumber, high);
            event.currentTarget.value = String(value);
            onChange(value, high);
          }}
        />
        <input
          type="range"
          min={min}
          max={max}
          step={step}
          value={high}
          aria-label={`${label} to`}
          aria-valuetext={said(high)}
          onInput={(event) => {
            const value = Math.max(event.currentTarget.valueAsNumber, low);
            event.currentTarget.value = String(value);
            onChange(low, value);
          }}
        />
      </div>
    </div>
  );
}
