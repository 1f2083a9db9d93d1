// The look of imagery: which bands, how stretched, in which colours; saved looks of the layer.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../ui/api";
import { Button, ErrorNote, NumberInput, Select, Slider, Spinner, TextInput } from "../ui/components";
import { Channel } from "./channel";
import "./look.css";
import { draftOf, PLAIN, STRETCH_NUMBERS, stretched, wordsOf } from "./picture";
import type { BandStatistics, LookProps, LookRow, PictureDraft, Stretch } from "./picture";
import { SavedLooks } from "./saved-looks";

type Statistics = Record<string, BandStatistics>;

const COLOURS = ["", "viridis", "magma", "inferno", "cividis", "terrain", "rdylgn", "spectral", "ylgn", "ylorrd", "blues", "rdbu"];
const STRETCHES: Record<Stretch, string> = { minmax: "Minimum to maximum", percentile: "Percentiles", stddev: "Standard deviations", hand: "By hand" };

function modes(count: number): { value: string; label: string }[] {
  return [
    ...(count >= 3 ? [{ value: "rgb", label: "Three bands as red, green, blue" }] : []),
    { value: "single", label: "One band" },
    ...(count >= 2 ? [{ value: "math", label: "Band math, such as an index" }] : []),
  ];
}

function BandChoice({ label, row, value, onChange }: { label: string; row: LookRow; value: number; onChange: (band: number) => void }): JSX.Element {
  const options = row.imagery.bands.map((band, index) => ({ value: String(index + 1), label: `${index + 1}${band.name ? `: ${band.name}` : ""}` }));
  return <Select label={label} value={String(value)} options={options} onChange={(text) => onChange(Number(text))} />;
}

interface FormProps extends LookProps {
  draft: PictureDraft;
  statistics: Statistics;
  set: (change: Partial<PictureDraft>, burst?: string) => void;
}

function Bands({ row, draft, statistics, set }: FormProps): JSX.Element {
  const [typed, setTyped] = useState(draft.expression);
  const fitting = (bands: number[]): Partial<PictureDraft> => ({
    bands,
    ...(draft.stretch === "hand" ? { ranges: bands.map((band) => rangeFor(statistics, band)) } : {}),
  });
  const choose = (mode: string): void => {
    if (mode === "rgb") set({ mode, ...fitting([1, 2, 3]) });
    else if (mode === "single") set({ mode, ...fitting([draft.bands[0] ?? 1]) });
    else {
      const expression = row.imagery.bands.length >= 4 ? "(b4-b1)/(b4+b1)" : "(b2-b1)/(b2+b1)";
      setTyped(expression);
      set({ mode: "math", expression, ranges: [[-1, 1]], stretch: "hand", colours: draft.colours || "rdylgn" });
    }
  };
  const channels = ["Red", "Green", "Blue"];
  return (
    <>
      <Select label="Show" value={draft.mode} options={modes(row.imagery.bands.length)} onChange={choose} />
      {draft.mode === "rgb" && (
        <div class="triple">
          {channels.map((label, index) => (
            <BandChoice key={label} label={label} row={row} value={draft.bands[index] ?? 1} onChange={(band) => set(fitting(draft.bands.map((old, at) => (at === index ? band : old))))} />
          ))}
        </div>
      )}
      {draft.mode === "single" && <BandChoice label="Band" row={row} value={draft.bands[0] ?? 1} onChange={(band) => set(fitting([band]))} />}
      {draft.mode === "math" && (
        <form
          class="apply-row"
          onSubmit={(event) => {
            event.preventDefault();
            set({ expression: typed });
          }}
        >
          <TextInput label="Band math" value={typed} onChange={setTyped} hint="b1 is the first band: (b4-b1)/(b4+b1)" />
          <Button type="submit" small disabled={typed.trim() === "" || typed === draft.expression}>
            Apply
          </Button>
        </form>
      )}
      {draft.mode !== "rgb" && (
        <Select label="Colours" value={draft.colours} options={COLOURS.map((value) => ({ value, label: value || "grey" }))} onChange={(colours) => set({ colours })} />
      )}
    </>
  );
}

function rangeFor(statistics: Statistics, band: number): [number, number] {
  const found = statistics[`b${band}`];
  return found ? stretched("percentile", [2, 98], found) : [0, 255];
}

function StretchForm(props: FormProps): JSX.Element {
  const { row, draft, statistics, set, view } = props;
  const [error, setError] = useState<unknown>(null);
  const math = draft.mode === "math";
  const bands = math ? [0] : draft.bands;
  const ranges = bands.map((band, index): [number, number] => {
    const found = statistics[`b${band}`];
    return draft.stretch === "hand" || !found ? (draft.ranges[index] ?? [0, 255]) : stretched(draft.stretch, draft.numbers, found);
  });
  const fromView = async (): Promise<void> => {
    const box = view();
    if (!box) return;
    const query = new URLSearchParams({ kind: "percentile,2,98", bbox: box.join(",") });
    if (math) query.append("expression", draft.expression);
    else for (const band of draft.bands) query.append("bidx", String(band));
    try {
      const answer = await get<{ rescale: [number, number][] }>(`/api/imagery/${row.imagery.id}/stretch?${query}`);
      setError(null);
      set({ stretch: "hand", ranges: answer.rescale });
    } catch (failure) {
      setError(failure);
    }
  };
  const choose = (stretch: Stretch): void => set({ stretch, numbers: STRETCH_NUMBERS[stretch], ...(stretch === "hand" ? { ranges } : {}) });
  return (
    <>
      {!math && <Select label="Stretch" value={draft.stretch} options={Object.entries(STRETCHES).map(([value, label]) => ({ value, label }))} onChange={(value) => choose(value as Stretch)} />}
      {!math && draft.numbers.length > 0 && (
        <div class="pair">
          {draft.numbers.map((value, index) => (
            <NumberInput
              key={index}
              label={draft.stretch === "stddev" ? "Deviations" : index === 0 ? "Low (%)" : "High (%)"}
              value={value}
              min={0}
              max={draft.stretch === "stddev" ? 10 : 100}
              onChange={(next) => {
                const numbers = draft.numbers.map((old, at) => (at === index ? (next ?? old) : old));
                const fits = draft.stretch === "stddev" ? (numbers[0] ?? 0) > 0 : (numbers[0] ?? 0) >= 0 && (numbers[0] ?? 0) < (numbers[1] ?? 100) && (numbers[1] ?? 100) <= 100;
                if (next !== null && fits) set({ numbers }, "numbers");
              }}
            />
          ))}
        </div>
      )}
      {ranges.map((range, index) => (
        <Channel
          key={index}
          name={math ? "Values" : draft.mode === "rgb" ? (["Red", "Green", "Blue"][index] ?? "") : (row.imagery.bands[(bands[index] ?? 1) - 1]?.name || "Values")}
          range={range}
          band={statistics[`b${bands[index]}`] ?? null}
          whole={!math && !row.imagery.dtype.startsWith("float")}
          onChange={(next) => set({ stretch: "hand", numbers: [], ranges: ranges.map((old, at) => (at === index ? next : old)) }, `range ${index}`)}
        />
      ))}
      <Button small onClick={() => void fromView()}>
        Stretch to what the map shows
      </Button>
      {error !== null && <ErrorNote error={error} />}
    </>
  );
}

/** Gamma, contrast and saturation, after the stretch. */
function ToneForm({ draft, set }: FormProps): JSX.Element | null {
  const { tone } = draft;
  // Colour maps are exact: nothing is corrected after them.
  if (draft.mode !== "rgb" && draft.colours) return null;
  const change = (name: keyof typeof tone, value: number): void => set({ tone: { ...tone, [name]: value } }, name);
  return (
    <div class="tone">
      <Slider label="Gamma" value={tone.gamma} min={0.3} max={3} step={0.05} said={tone.gamma.toFixed(2)} onChange={(value) => change("gamma", value)} />
      <Slider label="Contrast" value={tone.contrast} min={0} max={20} step={0.5} said={tone.contrast.toFixed(1)} onChange={(value) => change("contrast", value)} />
      {draft.mode === "rgb" && <Slider label="Saturation" value={tone.saturation} min={0} max={2} step={0.05} said={`${Math.round(tone.saturation * 100)} %`} onChange={(value) => change("saturation", value)} />}
      <Button small disabled={tone.gamma === PLAIN.gamma && tone.contrast === PLAIN.contrast && tone.saturation === PLAIN.saturation} onClick={() => set({ tone: PLAIN })}>
        Without corrections
      </Button>
    </div>
  );
}

/** All of it. */
export function ImageryStyleForm(props: LookProps): JSX.Element {
  const { row, style, onChange } = props;
  const [statistics, setStatistics] = useState<Statistics | null>(null);
  const [error, setError] = useState<unknown>(null);
  const { id } = row.imagery;
  useEffect(() => {
    const stop = new AbortController();
    get<Statistics>(`/api/imagery/${id}/statistics`, { signal: stop.signal })
      .then(setStatistics)
      .catch((failure: unknown) => {
        if (!stop.signal.aborted) setError(failure);
      });
    return () => stop.abort();
  }, [id]);
  const draft = draftOf(style, row.picture.words);
  const set = (change: Partial<PictureDraft>, burst?: string): void => onChange({ words: wordsOf({ ...draft, ...change }) }, burst);
  return (
    <>
      <SavedLooks row={row} style={style} onChange={onChange} maySave={props.maySave ?? true} />
      {error !== null && <ErrorNote error={error} />}
      {statistics === null && error === null && <Spinner label="Reading statistics" />}
      {statistics !== null && (
        <>
          <Bands {...props} draft={draft} statistics={statistics} set={set} />
          <StretchForm {...props} draft={draft} statistics={statistics} set={set} />
          <ToneForm {...props} draft={draft} statistics={statistics} set={set} />
        </>
      )}
    </>
  );
}
