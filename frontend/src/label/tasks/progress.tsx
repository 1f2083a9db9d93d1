// How far the label set is: what is left day by day, and who did what.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { Dialog, ErrorNote, Spinner, Table } from "../../ui/components";
import type { Column } from "../../ui/components";
import { number } from "../../ui/format";
import type { Tasks } from "./tasks";
import { STATE_COLOURS } from "./types";
import type { Progress } from "./types";

const HEIGHT_PX = 200;
const DAY_S = 86_400;

export interface BurnDown {
  /** Midnights, seconds since 1970, UTC. */
  readonly x: readonly number[];
  /** Neither done nor approved. */
  readonly left: readonly number[];
  readonly done: readonly number[];
  readonly approved: readonly number[];
}

/** The columns of the chart; a single day gets the day before it, when there was nothing, so that a line can be seen. */
export function burnDown(days: Progress["days"]): BurnDown {
  const rows = days.map((row) => ({
    x: Date.parse(`${row.day}T00:00:00Z`) / 1000,
    left: row.todo + row.in_progress + row.returned + row.skipped,
    done: row.done,
    approved: row.approved,
  }));
  const [only] = rows;
  const all = only && rows.length === 1 ? [{ x: only.x - DAY_S, left: only.left + only.done + only.approved, done: 0, approved: 0 }, only] : rows;
  return { x: all.map(({ x }) => x), left: all.map(({ left }) => left), done: all.map(({ done }) => done), approved: all.map(({ approved }) => approved) };
}

export function ProgressDialog({ tasks }: { tasks: Tasks }): JSX.Element {
  const [progress, setProgress] = useState<Progress | null>(null);
  const [error, setError] = useState<unknown>(null);
  const { rest } = tasks.options;
  useEffect(() => {
    rest.progress().then(setProgress, setError);
  }, [rest]);
  return (
    <Dialog title="Progress" wide onClose={() => tasks.set({ dialog: "none" })}>
      {error !== null && <ErrorNote error={error} />}
      {!progress && error === null && <Spinner label="Counting" />}
      {progress && (
        <>
          <Chart days={progress.days} />
          {progress.people.length > 0 && <Table label="People" rows={progress.people} rowKey={({ person }) => String(person.id)} columns={COLUMNS} />}
        </>
      )}
    </Dialog>
  );
}

type Row = Progress["people"][number];
const COLUMNS: readonly Column<Row>[] = [
  { key: "name", label: "Person", render: ({ person }) => person.name },
  { key: "finished", label: "Done", align: "right", render: ({ finished }) => number(finished) },
  { key: "approved", label: "Approved", align: "right", render: ({ approved }) => number(approved) },
  { key: "returned", label: "Returned", align: "right", render: ({ returned }) => number(returned) },
  { key: "skipped", label: "Skipped", align: "right", render: ({ skipped }) => number(skipped) },
  { key: "reviewed", label: "Reviewed", align: "right", render: ({ reviewed }) => number(reviewed) },
];

/** Whether the reader's system is dark now: a canvas keeps the colours that it was drawn with. */
function useDark(): boolean {
  const asked = useMemo(() => window.matchMedia("(prefers-color-scheme: dark)"), []);
  const [dark, setDark] = useState(asked.matches);
  useEffect(() => {
    const changed = (): void => setDark(asked.matches);
    asked.addEventListener("change", changed);
    return () => asked.removeEventListener("change", changed);
  }, [asked]);
  return dark;
}

/** A token as a colour that a canvas understands. */
function colour(token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function Chart({ days }: { days: Progress["days"] }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const dark = useDark();
  useEffect(() => {
    const holder = box.current;
    if (!holder) return undefined;
    const { x, left, done, approved } = burnDown(days);
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
    const line = (label: string, stroke: string): uPlot.Series => ({ label, stroke, width: 2, points: { size: 5 }, value: (_, raw) => number(raw) });
    const plot = new uPlot(
      {
        width: Math.max(200, holder.clientWidth),
        height: HEIGHT_PX,
        tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "UTC"),
        scales: { y: { range: (_, __, most) => [0, Math.max(1, most)] } },
        axes: [{ ...axis, incrs: [DAY_S, 7 * DAY_S, 30 * DAY_S, 365 * DAY_S], values: "{MMM} {D}" }, { ...axis, size: 48, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] }],
        cursor: { y: false },
        // Where the pointer is nowhere the legend tells the last day, and not dashes.
        hooks: { setCursor: [(self) => self.cursor.idx ?? self.setLegend({ idx: x.length - 1 })] },
        series: [{ label: "Day", value: "{YYYY}-{MM}-{DD}" }, line("Left", colour("--text")), line("Done", STATE_COLOURS.done), line("Approved", STATE_COLOURS.approved)],
      },
      [[...x], [...left], [...done], [...approved]],
      holder,
    );
    plot.setLegend({ idx: x.length - 1 });
    const sized = new ResizeObserver(() => plot.setSize({ width: Math.max(200, holder.clientWidth), height: HEIGHT_PX }));
    sized.observe(holder);
    return () => {
      sized.disconnect();
      plot.destroy();
    };
  }, [days, dark]);
  return <div class="chart" ref={box} role="img" aria-label="Tasks left, done and approved at the end of each day" />;
}
