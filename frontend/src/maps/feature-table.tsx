// The attribute table of a feature layer: a page at a time, sorted and filtered by the server; a row is found on the map.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../ui/api";
import { Badge, Button, ErrorNote, IconButton, Spinner, TextInput } from "../ui/components";
import { number, percent } from "../ui/format";
import type { Bounds } from "../ui/map";
import { fieldName } from "./legend-text";
import type { Filter } from "./style";
import { filters } from "./style";
import { titleOf } from "./types";
import type { FeaturesRow } from "./types";

const PAGE = 50;
const QUIET_MS = 250;

interface Row {
  id: string;
  fid: number;
  class_value: number | null;
  score: number | null;
  area_m2: number;
  source: string;
  verified: boolean;
  properties: Record<string, unknown>;
  bounds: Bounds;
}

interface Page {
  total: number;
  rows: Row[];
}

interface TableProps {
  map: string;
  row: FeaturesRow;
  filter: Filter;
  selected: string | null;
  onSelect: (feature: { id: string; bounds: Bounds } | null) => void;
  onClose: () => void;
}

interface Order {
  sort: string;
  down: boolean;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return number(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function valueOf(item: Row, column: string, row: FeaturesRow): string {
  if (column === "class") return row.features.classes.find((known) => known.value === item.class_value)?.name ?? "";
  if (column === "score") return item.score === null ? "" : percent(item.score);
  if (column === "fid") return String(item.fid);
  if (column === "area_m2") return item.area_m2 > 0 ? number(item.area_m2, item.area_m2 < 100 ? 1 : 0) : "";
  return cell(item.properties[column]);
}

const HEADS: Record<string, string> = { fid: "No." };

/** The drawer. */
export function FeatureTable(props: TableProps): JSX.Element {
  const { map, row, filter, selected, onSelect } = props;
  const [order, setOrder] = useState<Order>({ sort: "fid", down: false });
  const [text, setText] = useState("");
  const [skip, setSkip] = useState(0);
  const [page, setPage] = useState<Page | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [tries, setTries] = useState(0);
  const wanted = JSON.stringify(filter);
  const { seq } = row.features;
  useEffect(() => setSkip(0), [order, text, wanted]);
  useEffect(() => {
    const stop = new AbortController();
    const query = new URLSearchParams({ sort: order.sort, down: order.down ? "1" : "0", skip: String(skip), limit: String(PAGE), q: text, filter: wanted });
    const timer = setTimeout(() => {
      get<Page>(`/api/maps/${map}/layers/${row.id}/table?${query}`, { signal: stop.signal })
        .then((answer) => {
          setPage(answer);
          setError(null);
        })
        .catch((failure: unknown) => {
          if (!stop.signal.aborted) setError(failure);
        });
    }, QUIET_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [map, row.id, order, text, skip, wanted, seq, tries]);
  // Without declared fields, those that the page's rows have.
  const declared = row.features.fields.map((field) => field.name);
  const found = declared.length > 0 ? declared : [...new Set(page?.rows.flatMap((item) => Object.keys(item.properties)) ?? [])].slice(0, 12);
  const columns = ["fid", "class", "score", "area_m2", ...found];
  const sortable = new Set(["fid", "class", "score", "area_m2", ...declared]);
  const last = page ? Math.min(skip + PAGE, page.total) : 0;
  return (
    <section class="feature-table" aria-label={`Table of ${titleOf(row)}`}>
      <header>
        <h3 class="truncate">{titleOf(row)}</h3>
        {filters(filter) && <Badge>filtered as on the map</Badge>}
        <TextInput label="Search in the table" quiet type="search" placeholder="Search values" value={text} onChange={setText} />
        <span class="muted small-text numeric" role="status">
          {page && (page.total === 0 ? "no features" : `${number(skip + 1)} to ${number(last)} of ${number(page.total)}`)}
        </span>
        <IconButton label="Earlier rows" icon="left" small disabled={skip === 0} onClick={() => setSkip(Math.max(0, skip - PAGE))} />
        <IconButton label="Later rows" icon="right" small disabled={!page || last >= page.total} onClick={() => setSkip(skip + PAGE)} />
        <IconButton label="Close the table" icon="close" small onClick={props.onClose} />
      </header>
      {error !== null && <ErrorNote error={error} retry={() => setTries(tries + 1)} />}
      {page === null && error === null && <Spinner />}
      {page && (
        <div class="table-scroll" tabIndex={0} role="region" aria-label="Rows">
          <table class="table">
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column} scope="col" aria-sort={order.sort === column ? (order.down ? "descending" : "ascending") : undefined}>
                    {sortable.has(column) ? (
                      <button type="button" onClick={() => setOrder({ sort: column, down: order.sort === column && !order.down })}>
                        {HEADS[column] ?? fieldName(column)}
                        <span aria-hidden="true">{order.sort === column ? (order.down ? "↓" : "↑") : ""}</span>
                      </button>
                    ) : (
                      column
                    )}
                  </th>
                ))}
                <th scope="col">
                  <span class="visually-hidden">On the map</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {page.rows.map((item) => (
                <tr key={item.id} class={item.id === selected ? "selected" : ""} onClick={() => onSelect(item)}>
                  {columns.map((column) => (
                    <td key={column}>{valueOf(item, column, row)}</td>
                  ))}
                  <td>
                    <Button
                      small
                      kind="quiet"
                      onClick={(event) => {
                        event.stopPropagation();
                        onSelect(item.id === selected ? null : item);
                      }}
                    >
                      {item.id === selected ? "Deselect" : "Show"}
                      <span class="visually-hidden"> number {item.fid}</span>
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
