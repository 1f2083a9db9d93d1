// Colours by a number: ramp, steps, and where one step ends and the next begins.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../ui/api";
import { Checkbox, ErrorNote, NumberInput, Select, Spinner } from "../ui/components";
import { breaksOf, RAMPS, steps } from "./ramps";
import type { Spread } from "./ramps";
import { SINGLE } from "./style";
import type { FeatureStyle } from "./style";
import type { StyleProps } from "./style-features";

type Summary = Spread & { count: number; every: number };

function isTurned(style: FeatureStyle): boolean {
  const { colours = [], ramp = "viridis" } = style;
  return colours.length > 1 && colours[0] === steps(ramp, colours.length).at(-1);
}

/** The style with as many colours as its breaks ask for, in the order of the ramp or turned round. */
export function coloured(style: FeatureStyle, turned: boolean): FeatureStyle {
  const ramp = style.ramp ?? "viridis";
  const colours = steps(ramp, (style.breaks ?? []).length + 1);
  return { ...style, ramp, colours: turned ? colours.reverse() : colours };
}

/** The steps of a graduated style. */
export function Graduated({ map, row, style, onChange }: StyleProps): JSX.Element {
  const [spread, setSpread] = useState<Summary | null>(null);
  const [error, setError] = useState<unknown>(null);
  const field = style.field ?? "";
  const breaks = style.breaks ?? [];
  useEffect(() => {
    const stop = new AbortController();
    get<Summary>(`/api/maps/${map}/layers/${row.id}/column/summary?field=${encodeURIComponent(field)}`, { signal: stop.signal })
      .then(setSpread)
      .catch((failure: unknown) => {
        if (!stop.signal.aborted) setError(failure);
      });
    return () => stop.abort();
  }, [map, row.id, field]);
  const apply = (next: FeatureStyle, count = breaks.length + 1): void => {
    const split = next.method === "by_hand" || spread === null ? breaks : breaksOf(spread, count, next.method ?? "quantile");
    onChange(coloured({ ...next, breaks: split }, isTurned(style)), "steps");
  };
  // A field that was just chosen has no steps yet.
  const fresh = spread !== null && spread.count > 0 && breaks.length === 0 && style.colours?.[0] === SINGLE;
  useEffect(() => {
    if (fresh) apply(style, 5);
  });
  if (error !== null) return <ErrorNote error={error} />;
  if (spread === null) return <Spinner label="Reading values" />;
  if (spread.count === 0) return <p class="note warn small-text">No feature has a value here.</p>;
  return (
    <fieldset class="graduated">
      <legend class="visually-hidden">Steps</legend>
      <Select label="Colours" value={style.ramp ?? "viridis"} options={Object.keys(RAMPS).map((value) => ({ value, label: value }))} onChange={(ramp) => apply({ ...style, ramp })} />
      <div class="ramp-bar" style={{ backgroundImage: `linear-gradient(90deg, ${(isTurned(style) ? steps(style.ramp ?? "viridis", 9).reverse() : steps(style.ramp ?? "viridis", 9)).join(", ")})` }} />
      <Checkbox
        label="High to low"
        checked={isTurned(style)}
        onChange={() => onChange({ ...style, colours: [...(style.colours ?? [])].reverse() })}
      />
      <div class="pair">
        <NumberInput label="Steps" value={breaks.length + 1} min={2} max={9} step={1} onChange={(count) => count !== null && count >= 2 && count <= 9 && apply({ ...style, method: style.method === "equal" ? "equal" : "quantile" }, count)} />
        <Select
          label="Split"
          value={style.method ?? "quantile"}
          options={[
            { value: "quantile", label: "Equal counts" },
            { value: "equal", label: "Equal widths" },
            { value: "by_hand", label: "By hand" },
          ]}
          onChange={(method) => apply({ ...style, method: method as "equal" | "quantile" | "by_hand" })}
        />
      </div>
      {spread.every > 1 && <p class="muted small-text">The steps are those of every {spread.every}th feature.</p>}
      <div class="breaks">
        {breaks.map((edge, index) => (
          <NumberInput
            key={index}
            label={`Step ${index + 2} from`}
            value={edge}
            onChange={(value) => {
              const fits = value !== null && value > (breaks[index - 1] ?? -Infinity) && value < (breaks[index + 1] ?? Infinity);
              if (fits) onChange({ ...style, method: "by_hand", breaks: breaks.map((old, at) => (at === index ? value : old)) }, `break ${index}`);
            }}
          />
        ))}
      </div>
    </fieldset>
  );
}
