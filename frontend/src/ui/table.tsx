// Tables.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { classes } from "./class-names";

export interface Column<R> {
  key: string;
  /** Empty where the cells speak for themselves: screen readers are told the key. */
  label: string;
  render: (row: R) => ComponentChildren;
  align?: "left" | "right" | undefined;
  /** Leave it out below 720 px. */
  hideNarrow?: boolean | undefined;
  /** Makes the column sortable by this value. */
  sort?: ((row: R) => string | number) | undefined;
  width?: string | undefined;
}

export interface TableProps<R> {
  label: string;
  columns: readonly Column<R>[];
  rows: readonly R[];
  rowKey: (row: R) => string;
}

/** Rows in the order of a sortable column (stable); without one as they come. */
export function sorted<R>(rows: readonly R[], column: Column<R> | undefined, down: boolean): readonly R[] {
  const by = column?.sort;
  if (!by) return rows;
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [by(a), by(b)];
    if (typeof x === "number" && typeof y === "number") return (x - y) * sign;
    return String(x).localeCompare(String(y), "en", { numeric: true }) * sign;
  });
}

/** A box that scrolls sideways; where it does, the keyboard reaches it. */
function Scroll({ label, children }: { label: string; children: ComponentChildren }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const watcher = new ResizeObserver(() => setScrolls(element.scrollWidth > element.clientWidth));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  return (
    <div class="table-scroll" ref={box} {...(scrolls && { tabIndex: 0, role: "region", "aria-label": `${label}, scrolls sideways` })}>
      {children}
    </div>
  );
}

/** A real table: scrolls sideways where it must, sorts by the columns that can. */
export function Table<R>(props: TableProps<R>): JSX.Element {
  const [order, setOrder] = useState<{ key: string; down: boolean } | null>(null);
  const rows = sorted(props.rows, props.columns.find((column) => column.key === order?.key), order?.down ?? false);
  const look = (column: Column<R>): string =>
    classes(column.align === "right" && "align-right", column.hideNarrow && "hide-narrow");
  const head = (column: Column<R>): ComponentChildren => {
    if (column.label === "") return <span class="visually-hidden">{column.key}</span>;
    if (!column.sort) return column.label;
    const mine = order?.key === column.key;
    return (
      <button type="button" onClick={() => setOrder({ key: column.key, down: mine && !order.down })}>
        {column.label}
        <span aria-hidden="true">{mine ? (order.down ? "↓" : "↑") : ""}</span>
      </button>
    );
  };
  return (
    <Scroll label={props.label}>
      <table class="table" aria-label={props.label}>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                class={look(column)}
                style={column.width === undefined ? {} : { width: column.width }}
                aria-sort={order?.key === column.key ? (order.down ? "descending" : "ascending") : undefined}
              >
                {head(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={props.rowKey(row)}>
              {props.columns.map((column) => (
                <td key={column.key} class={look(column)}>
                  {column.render(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
