// What is in a file: tables, first rows, CRS, where it lies.

import type { JSX } from "preact";
import { TextInput } from "../ui/components";
import { number, plural } from "../ui/format";
import { boundsOf, overlap } from "./choices";
import type { Choices } from "./choices";
import { Sketch } from "./sketch";
import type { Bounds, FileTable, Look } from "./types";

const PLACES = {
  all: "On the imagery.",
  some: "Partly on the imagery.",
  none: "Not on the imagery: is the CRS right?",
  unknown: "",
};

export function TableChoice({ look, chosen, onChange }: { look: Look; chosen: readonly number[]; onChange: (tables: readonly number[]) => void }): JSX.Element | null {
  if (look.tables.length < 2) return null;
  const toggle = (index: number, on: boolean): void => onChange(on ? [...chosen, index].sort((a, b) => a - b) : chosen.filter((one) => one !== index));
  return (
    <fieldset class="file-tables">
      <legend>Tables</legend>
      {look.tables.map((table) => (
        <label key={table.index} class="checkbox" title={table.error}>
          <input type="checkbox" disabled={table.error !== undefined} checked={chosen.includes(table.index)} onChange={(event) => toggle(table.index, event.currentTarget.checked)} />
          <span class="truncate">{table.name}</span>
          <span class="muted small-text">{table.error ?? kinds(table)}</span>
        </label>
      ))}
      {look.more_tables > 0 && <p class="muted small-text">{plural(look.more_tables, "more table")} cannot be shown. Import them from files of their own.</p>}
    </fieldset>
  );
}

export function kinds(table: FileTable): string {
  const found = Object.entries(table.geometry_types);
  // Of one kind: how many there are is said already.
  const types = found.map(([type, count]) => (found.length === 1 && count === table.count ? `all ${type}` : `${number(count)} ${type}`));
  const none = table.without_geometry ? [`${number(table.without_geometry)} without geometry`] : [];
  return [...types, ...none].join(", ") || "empty";
}

export function Place({ tables, imagery, choices, onCrs }: { tables: readonly FileTable[]; imagery: Bounds | null; choices: Choices; onCrs: (crs: string) => void }): JSX.Element {
  const first = tables[0];
  const bounds = choices.crs ? null : boundsOf(tables);
  const where = overlap(bounds, imagery);
  const missing = tables.some(({ crs }) => crs === null);
  return (
    <>
      {bounds && <Sketch shapes={tables.flatMap(({ shapes }) => shapes)} bounds={bounds} imagery={imagery} />}
      <div class="file-place">
        <p>
          {first?.crs ? <>Coordinates in <strong>{first.crs.name}</strong>{first.crs.id.startsWith("EPSG") ? ` (${first.crs.id})` : ""}. </> : null}
          {first?.assumed_because} <span class={where === "none" ? "file-far" : undefined}>{PLACES[where]}</span>
        </p>
        <details class="file-more" open={missing}>
          <summary>{missing ? "Which CRS?" : "Another CRS"}</summary>
          <TextInput
            label="EPSG code of the file's coordinates" value={choices.crs} placeholder="EPSG:32651" onChange={(text) => onCrs(coded(text))}
            hint="Longitude and latitude are EPSG:4326; UTM zone 51 North is EPSG:32651."
          />
        </details>
      </div>
    </>
  );
}

/** A bare number is a code. */
function coded(text: string): string {
  const plain = text.trim().toUpperCase();
  return /^\d{4,6}$/.test(plain) ? `EPSG:${plain}` : plain;
}

/** The first rows of a table, as they stand in the file. */
export function FirstRows({ table }: { table: FileTable }): JSX.Element | null {
  const names = table.fields.map(({ name }) => name).slice(0, 12);
  if (!table.rows.length) return null;
  return (
    <details class="file-more">
      <summary>First rows</summary>
      <div class="file-scroll" tabIndex={0} role="region" aria-label="First rows of the file">
        <table class="table small-text">
          <thead>
            <tr><th scope="col">Geometry</th>{names.map((name) => <th scope="col" key={name}>{name}</th>)}</tr>
          </thead>
          <tbody>
            {table.rows.map((row, i) => (
              <tr key={i}>
                <td>{row.geometry || <span class="muted">none</span>}</td>
                {names.map((name) => <td key={name} class="file-cell">{text(row.properties[name])}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function text(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}
