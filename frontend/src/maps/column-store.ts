// Fields of features for styles and filters. Of most layers the values of one field of all features are asked for once
// and joined to the tiles by fid; those of a large layer come with its tiles.
import { get } from "../ui/api";
import type { ColumnOf, ReadField, Value } from "./style";
import type { FeaturesRow } from "./types";

interface Column {
  seq: number;
  read: ReadField | null;
  stop: AbortController | null;
}

interface ColumnJson {
  seq: number;
  fids: number[];
  values: Value[];
}

// As the server's `MOST_FEATURES`: more is too much for one answer.
const MOST_FEATURES = 300_000;
const inTiles = new Map<string, ReadField>();

/** Whether the values come with the tiles. */
export function isLarge(row: FeaturesRow): boolean {
  return row.features.count > MOST_FEATURES;
}

/** What reads a field that came with the tile; the same for the same field. */
function tileReader(field: string): ReadField {
  const known = inTiles.get(field) ?? ((properties) => properties[`field:${field}`]);
  inTiles.set(field, known);
  return known;
}

function joined(values: ReadonlyMap<number, Value>): ReadField {
  return (properties) => values.get(Number(properties["fid"]));
}

/** Keeps what was asked for; says when something arrived or could not be had. */
export class ColumnStore {
  private readonly columns = new Map<string, Column>();

  constructor(
    private readonly map: string,
    private readonly onChange: () => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Return what reads the fields of a layer that are here. */
  of(row: FeaturesRow): ColumnOf {
    if (isLarge(row)) return tileReader;
    return (field) => this.columns.get(`${row.id}/${field}`)?.read ?? null;
  }

  /** Ask for fields that are missing or older than the layer; old values stay until the new ones are there. */
  want(row: FeaturesRow, fields: readonly string[]): void {
    if (isLarge(row)) return;
    for (const field of fields) {
      const key = `${row.id}/${field}`;
      const known = this.columns.get(key);
      if (known && (known.stop !== null || known.seq >= row.features.seq)) continue;
      const stop = new AbortController();
      this.columns.set(key, { seq: row.features.seq, read: known?.read ?? null, stop });
      get<ColumnJson>(`/api/maps/${this.map}/layers/${row.id}/column?field=${encodeURIComponent(field)}`, { signal: stop.signal })
        .then((column) => {
          const values = new Map(column.fids.map((fid, index) => [fid, column.values[index] ?? ""]));
          this.columns.set(key, { seq: column.seq, read: joined(values), stop: null });
          this.onChange();
        })
        .catch((error: unknown) => {
          if (stop.signal.aborted) return;
          this.columns.set(key, { seq: row.features.seq, read: known?.read ?? joined(new Map()), stop: null });
          this.onError(error);
          this.onChange();
        });
    }
  }

  stop(): void {
    for (const { stop } of this.columns.values()) stop?.abort();
  }
}
