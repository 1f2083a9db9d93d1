// Which two layers are compared, and how.
import type { JSX } from "preact";
import { Select } from "../ui/components";
import { Card } from "./card";
import type { Compare } from "./swipe";
import { sourceOf, titleOf } from "./types";
import type { LayerRow } from "./types";

/** The comparison to begin with: the two top imagery layers, else the two top layers. */
export function firstCompare(rows: readonly LayerRow[]): Compare | null {
  const topFirst = [...rows].reverse();
  const scenes = topFirst.filter((row) => row.kind !== "features");
  const [left, right] = scenes.length > 1 ? scenes : topFirst;
  return left && right ? { mode: "swipe", left: sourceOf(left).id, right: sourceOf(right).id, at: 0.5 } : null;
}

/** The choice. */
export function CompareCard(props: { rows: readonly LayerRow[]; compare: Compare | null; onChange: (compare: Compare | null) => void; onClose: () => void }): JSX.Element {
  const { rows, compare, onChange } = props;
  const options = [...rows].reverse().map((row) => ({ value: sourceOf(row).id, label: titleOf(row) }));
  const set = (change: Partial<Compare>): void => {
    if (!compare) return;
    const next = { ...compare, ...change };
    // Choosing the other side's layer swaps them.
    if (next.left === next.right) Object.assign(next, change.left ? { right: compare.left } : { left: compare.right });
    onChange(next);
  };
  return (
    <Card title="Compare" onClose={props.onClose}>
      {compare === null ? (
        <p class="muted small-text">A comparison takes two layers.</p>
      ) : (
        <>
          <Select
            label="How"
            value={compare.mode}
            options={[
              { value: "swipe", label: "Swipe" },
              { value: "side", label: "Side by side" },
            ]}
            onChange={(mode) => set({ mode: mode === "side" ? "side" : "swipe" })}
          />
          <Select label="Left" value={compare.left} options={options} onChange={(left) => set({ left })} />
          <Select label="Right" value={compare.right} options={options} onChange={(right) => set({ right })} />
        </>
      )}
    </Card>
  );
}
