// The table of classes: how many samples, pixels, share, area; and what can be done with each class.

import type { JSX } from "preact";
import { Swatch } from "../label/swatch";
import { Badge, Menu, Table } from "../ui/components";
import type { Column } from "../ui/components";
import { area, metres, number, percent } from "../ui/format";
import type { ClassRow } from "./types";

export interface ClassActs {
  readonly onMerge: (row: ClassRow) => void;
  readonly onSplit: (row: ClassRow) => void;
  readonly onRetire: (row: ClassRow) => void;
  readonly onEdit: () => void;
}

/** A share drawn as a bar; the number beside it says the same. */
function Share({ share, colour }: { share: number; colour: string }): JSX.Element {
  return (
    <svg class="class-share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="class-share-all" width="100" height="8" />
      <rect width={Math.max(0, Math.min(100, share * 100))} height="8" fill={colour} />
    </svg>
  );
}

export function ClassTable({ rows, acts }: { rows: readonly ClassRow[]; acts: ClassActs | null }): JSX.Element {
  const columns: Column<ClassRow>[] = [
    { key: "value", label: "Value", align: "right", hideNarrow: true, sort: (row) => row.value ?? 999, render: (row) => row.value ?? "" },
    {
      key: "name", label: "Class", sort: (row) => row.name,
      render: (row) => <span class="class-name"><Swatch colour={row.colour} /> <span class="break-anywhere">{row.name}</span> {row.retired && <Badge>retired</Badge>}</span>,
    },
    { key: "count", label: "Samples", align: "right", sort: (row) => row.count, render: (row) => number(row.count) },
    { key: "verified", label: "Checked", align: "right", hideNarrow: true, sort: (row) => row.verified, render: (row) => number(row.verified) },
    { key: "pixels", label: "Pixels", align: "right", hideNarrow: true, sort: (row) => row.pixels, render: (row) => number(row.pixels) },
    { key: "share", label: "Pixels (%)", align: "right", sort: (row) => row.share, render: (row) => <span class="class-percent">{percent(row.share, 2)}<Share share={row.share} colour={row.colour} /></span> },
    { key: "area", label: "Area", align: "right", hideNarrow: true, sort: (row) => row.area_m2, render: (row) => area(row.area_m2) },
    ...(rows.some(({ lines }) => lines) ? [{ key: "length", label: "Length", align: "right" as const, hideNarrow: true, sort: (row: ClassRow) => row.length_m, render: (row: ClassRow) => (row.lines ? metres(row.length_m) : "") }] : []),
    ...(rows.some(({ points }) => points) ? [{ key: "points", label: "Points", align: "right" as const, hideNarrow: true, sort: (row: ClassRow) => row.points, render: (row: ClassRow) => (row.points ? number(row.points) : "") }] : []),
  ];
  if (acts)
    columns.push({
      key: "actions", label: "", align: "right",
      render: (row) =>
        row.value === null ? null : (
          <Menu
            label={`What to do with ${row.name}`}
            end
            items={[
              { label: "Rename or recolour…", icon: "edit", onSelect: acts.onEdit },
              { label: "Merge into another class…", icon: "layers", onSelect: () => acts.onMerge(row) },
              ...(row.count > 1 ? [{ label: "Split off a new class…", icon: "polygon" as const, onSelect: () => acts.onSplit(row) }] : []),
              { label: row.retired ? "Offer again" : "Retire", icon: row.retired ? ("eye" as const) : ("eye-off" as const), onSelect: () => acts.onRetire(row) },
            ]}
          />
        ),
    });
  return <div class="class-table"><Table label="Classes" columns={columns} rows={rows} rowKey={(row) => String(row.value)} /></div>;
}
