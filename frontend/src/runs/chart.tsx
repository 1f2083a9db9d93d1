// A line chart in the site's colours, redrawn when data, size or theme change.
import { useEffect, useRef } from "preact/hooks";
import type { JSX } from "preact";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { number } from "../ui/format";
import type { Curves } from "./curves";

const TOKENS = ["--accent", "--warn", "--focus"];
const HEIGHT_PX = 240;

/** Return a token as a colour that a canvas understands (tokens may be light-dark() pairs). */
function colour(token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function showLast(plot: uPlot): void {
  plot.setLegend({ idx: plot.data[0].length - 1 });
}

function optionsOf(labels: readonly string[], width: number, unit: boolean): uPlot.Options {
  const [muted, line] = [colour("--muted"), colour("--line")];
  const axis = { stroke: muted, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  return {
    width,
    height: HEIGHT_PX,
    scales: { x: { time: false }, ...(unit ? { y: { range: [0, 1] } } : {}) },
    axes: [{ ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] }, { ...axis, size: 56 }],
    legend: { live: true },
    cursor: { y: false },
    // With no pointer on the chart the legend tells the last values, not dashes.
    hooks: { ready: [showLast], setData: [showLast], setCursor: [(plot) => plot.cursor.idx == null && showLast(plot)] },
    series: [
      { label: "Epoch", value: (_, raw) => number(raw, 2) },
      ...labels.map((label, at) => ({
        label,
        stroke: colour(TOKENS[at % TOKENS.length] ?? "--accent"),
        width: 2,
        spanGaps: true,
        points: { size: 5 },
        value: (_: uPlot, raw: number | null) => number(raw, 3),
      })),
    ],
  };
}

interface LineChart {
  show: (curves: Curves) => void;
  stop: () => void;
}

/** Draw a chart into an element and keep it right when size or theme change. */
function startChart(box: HTMLElement, first: Curves, unit: boolean): LineChart {
  let curves = first;
  let plot: uPlot | null = null;
  const width = (): number => Math.max(200, box.clientWidth);
  const draw = (): void => {
    plot?.destroy();
    plot = new uPlot(optionsOf(curves.labels, width(), unit), [curves.x, ...curves.columns], box);
  };
  draw();
  const sized = new ResizeObserver(() => plot?.setSize({ width: width(), height: HEIGHT_PX }));
  sized.observe(box);
  const themed = new MutationObserver(draw);
  themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", draw);
  return {
    show: (told) => {
      const same = told.labels.join() === curves.labels.join();
      curves = told;
      if (same) plot?.setData([curves.x, ...curves.columns]);
      else draw();
    },
    stop: () => {
      sized.disconnect();
      themed.disconnect();
      scheme.removeEventListener("change", draw);
      plot?.destroy();
    },
  };
}

export interface ChartProps {
  /** Said by screen readers. */
  label: string;
  curves: Curves;
  /** All values lie from 0 to 1. */
  unit?: boolean;
}

/** Lines over epochs; the legend follows the pointer. */
export function Chart({ label, curves, unit = false }: ChartProps): JSX.Element {
  const holder = useRef<HTMLDivElement>(null);
  const chartRef = useRef<LineChart | null>(null);
  useEffect(() => {
    if (holder.current && !chartRef.current) chartRef.current = startChart(holder.current, curves, unit);
    else chartRef.current?.show(curves);
  }, [curves, unit]);
  useEffect(
    () => () => {
      chartRef.current?.stop();
      chartRef.current = null;
    },
    [],
  );
  return <div class="chart" ref={holder} role="img" aria-label={label} />;
}
