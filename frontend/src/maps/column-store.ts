// Columns of feature layers: the values of one field of all features, asked for once and joined to the tiles by fid.
import { get } from "../ui/api";
import type { ColumnOf, Value } from "./style";
import type { FeaturesRow } from "./types";

interface Column {
  seq: number;
  values: ReadonlyMap<number, Value> | null;
  stop: AbortController | null;
}

interface ColumnJson {
  seq: number;
  fids: number[];
  values: Value[];
}

/** Keeps what was asked for; says when something arrived or could not be had. */
export class ColumnStore {
  private readonly columns = new Map<string, Column>();

  constructor(
    private readonly map: string,
    private readonly onChange: () => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Return what reads the columns of a layer that are here. */
  of(row: FeaturesRow): ColumnOf {
    return (field) => this.columns.get(`${row.id}/${field}`)?.values ?? null;
  }

  /** Ask for fields that are missing or older than the layer; old values stay until the new ones are there. */
  want(row: FeaturesRow, fields: readonly string[]): void {
    for (const field of fields) {
      const key = `${row.id}/${field}`;
      const known = this.columns.get(key);
      if (known && (known.stop !== null || known.seq >= row.features.seq)) continue;
      const stop = new AbortController();
      this.columns.set(key, { seq: row.features.seq, values: known?.values ?? null, stop });
      get<ColumnJson>(`/api/maps/${this.map}/layers/${row.id}/column?field=${encodeURIComponent(field)}`, { signal: stop.signal })
        .then((column) => {
          const values = new Map(column.fids.map((fid, index) => [fid, column.values[index] ?? ""]));
          this.columns.set(key, { seq: column.seq, values, stop: null });
          this.onChange();
        })
        .catch((error: unknown) => {
          if (stop.signal.aborted) return;
          this.columns.set(key, { seq: row.features.seq, values: known?.values ?? new Map(), stop: null });
          this.onError(error);
          this.onChange();
        });
    }
  }

  stop(): void {
    for (const { stop } of this.columns.values()) stop?.abort();
  }
}
