// The layer tree: the top layer first; order and groups by drag or arrow keys.
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { EmptyState, Icon, Menu } from "../ui/components";
import { LayerItem, Grip } from "./layer-item";
import { blocksOf, droppedGroup, droppedLayer, linesOf, stepped } from "./layout";
import { moved, savedLook } from "./state";
import type { Look, Shown } from "./state";
import type { GeometryTypes } from "./swatch";
import { titleOf } from "./types";
import type { LayerRow, MapJson } from "./types";

export interface PanelActions {
  onShow: (id: number, shown: Partial<Shown>) => void;
  onHideClass: (id: number, value: number, hide: boolean) => void;
  onZoom: (rows: readonly LayerRow[]) => void;
  /** The layers in another order or in other groups, the bottom layer first. */
  onArrange: (rows: readonly LayerRow[]) => void;
  onSettings: (row: LayerRow, part: "style" | "filter") => void;
  onTable: (row: LayerRow) => void;
  onRename: (row: LayerRow) => void;
  onGroup: (row: LayerRow) => void;
  onRenameGroup: (group: string) => void;
  onUngroup: (group: string) => void;
  /** Lay it under all layers. */
  onBasemap: (row: LayerRow) => void;
  onRemove: (row: LayerRow) => void;
  onAdd: () => void;
}

// A pointer this far right of the list's edge, below a group's last layer, means "into the group".
const INDENT_PX = 44;

interface HeadProps {
  name: string;
  rows: readonly LayerRow[];
  look: Look;
  open: boolean;
  editable: boolean;
  actions: PanelActions;
  onOpen: (open: boolean) => void;
  onGrip: (event: PointerEvent) => void;
  onStep: (step: -1 | 1) => void;
}

function GroupHead({ name, rows, look, open, editable, actions, onOpen, onGrip, onStep }: HeadProps): JSX.Element {
  const visible = rows.filter((row) => (look.get(row.id) ?? row).visible).length;
  return (
    <li class="layer group-head" data-line={name} data-group={name}>
      <div class="layer-head">
        {editable && <Grip label={`group ${name}`} onGrip={onGrip} onStep={onStep} />}
        <input
          type="checkbox"
          checked={visible === rows.length}
          ref={(box) => {
            if (box) box.indeterminate = visible > 0 && visible < rows.length;
          }}
          aria-label={`Show all layers of ${name}`}
          onChange={(event) => {
            for (const row of rows) actions.onShow(row.id, { visible: event.currentTarget.checked });
          }}
        />
        <button type="button" class="layer-title" aria-expanded={open} onClick={() => onOpen(!open)} title={`Group ${name}`}>
          <span class="truncate">{name}</span>
          <span class="muted small-text">{rows.length}</span>
          <Icon name={open ? "down" : "right"} />
        </button>
        <Menu
          label={`More about group ${name}`}
          end
          small
          items={[
            { label: "Zoom to group", icon: "extent", onSelect: () => actions.onZoom(rows) },
            ...(editable
              ? [
                  { label: "Rename group", icon: "edit" as const, onSelect: () => actions.onRenameGroup(name) },
                  { label: "Take the group apart", icon: "close" as const, onSelect: () => actions.onUngroup(name) },
                ]
              : []),
          ]}
        />
      </div>
    </li>
  );
}

interface TreeProps {
  map: MapJson;
  look: Look;
  types: ReadonlyMap<number, GeometryTypes>;
  actions: PanelActions;
}

/** Follow a pointer from its press to its release; `at` hears where it is, and whether that was the end. */
function follow(event: PointerEvent, at: (move: PointerEvent, end: boolean) => void, cancel: () => void): void {
  if (event.button !== 0) return;
  const handle = event.currentTarget as HTMLElement;
  handle.setPointerCapture(event.pointerId);
  const stop = new AbortController();
  const { signal } = stop;
  let travelled = false;
  handle.addEventListener(
    "pointermove",
    (move) => {
      travelled = true;
      at(move, false);
    },
    { signal },
  );
  handle.addEventListener(
    "pointerup",
    (up) => {
      stop.abort();
      if (travelled) at(up, true);
      cancel();
    },
    { signal },
  );
  handle.addEventListener(
    "pointercancel",
    () => {
      stop.abort();
      cancel();
    },
    { signal },
  );
}

/** The tree with its drag. */
export function LayerList({ map, look, types, actions }: TreeProps): JSX.Element {
  const list = useRef<HTMLOListElement>(null);
  const [dragged, setDragged] = useState<{ id: number | string; order: LayerRow[] } | null>(null);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [said, setSaid] = useState("");
  const topFirst = [...map.layers].reverse();
  const shown = dragged?.order ?? topFirst;

  const arrange = (order: readonly LayerRow[], moving: string): void => {
    const at = order.findIndex((row) => titleOf(row) === moving || row.group === moving);
    setSaid(`${moving} is now ${at + 1} of ${order.length}${order[at]?.group && order[at]?.group !== moving ? `, in ${order[at]?.group}` : ""}.`);
    actions.onArrange([...order].reverse());
  };
  const lineBoxes = (without: string, selector: string): { line: string; top: number; middle: number }[] =>
    [...(list.current?.querySelectorAll<HTMLElement>(selector) ?? [])]
      .filter((element) => element.dataset["line"] !== without)
      .map((element) => {
        const box = element.getBoundingClientRect();
        return { line: element.dataset["line"] ?? "", top: box.top, middle: box.top + Math.min(box.height, 80) / 2 };
      });

  const dragLayer = (row: LayerRow) => (event: PointerEvent): void =>
    follow(
      event,
      (move, end) => {
        const boxes = lineBoxes(String(row.id), "[data-line]");
        const next = boxes[boxes.filter((box) => move.clientY > box.middle).length];
        const others = linesOf(topFirst.filter((other) => other !== row));
        const at = next ? others.findIndex((line) => ("head" in line ? line.head : String(line.item.id)) === next.line) : others.length;
        const left = list.current?.getBoundingClientRect().left ?? 0;
        const order = droppedLayer(topFirst, row, at < 0 ? others.length : at, move.clientX > left + INDENT_PX);
        if (end) arrange(order, titleOf(row));
        else setDragged({ id: row.id, order });
      },
      () => setDragged(null),
    );
  const dragGroup = (name: string) => (event: PointerEvent): void =>
    follow(
      event,
      (move, end) => {
        const boxes = lineBoxes(name, ".layer:not(.grouped)");
        const order = droppedGroup(topFirst, name, boxes.filter((box) => move.clientY > box.middle).length);
        if (end) arrange(order, name);
        else setDragged({ id: name, order });
      },
      () => setDragged(null),
    );
  const stepGroup = (name: string) => (step: -1 | 1): void => {
    const blocks = blocksOf(topFirst);
    const from = blocks.findIndex((block) => block[0]?.group === name);
    if (from + step >= 0 && from + step < blocks.length) arrange(moved(blocks, from, from + step).flat(), name);
  };

  if (map.layers.length === 0) {
    return (
      <EmptyState
        title="No layers yet"
        actions={
          map.can_edit && (
            <button type="button" class="button primary" onClick={actions.onAdd}>
              Add a layer
            </button>
          )
        }
      >
        Imagery, labels and results of a model become layers of this map.
      </EmptyState>
    );
  }
  return (
    <>
      <ol class="layers" aria-label="Layers, the top one first" ref={list}>
        {linesOf(shown).map((line) => {
          if ("head" in line) {
            return (
              <GroupHead
                key={`group ${line.head}`}
                name={line.head}
                rows={topFirst.filter((row) => row.group === line.head)}
                look={look}
                open={!closed.has(line.head)}
                editable={map.can_edit}
                actions={actions}
                onOpen={(open) =>
                  setClosed((now) => {
                    const next = new Set(now);
                    if (open) next.delete(line.head);
                    else next.add(line.head);
                    return next;
                  })
                }
                onGrip={dragGroup(line.head)}
                onStep={stepGroup(line.head)}
              />
            );
          }
          const row = line.item;
          if (closed.has(row.group) && dragged?.id !== row.id) return null;
          const current = topFirst.find((item) => item.id === row.id) ?? row;
          return (
            <LayerItem
              key={row.id}
              map={map}
              row={row}
              shown={look.get(row.id) ?? savedLook(row)}
              types={types.get(row.id) ?? []}
              actions={actions}
              dragged={dragged?.id === row.id || dragged?.id === row.group}
              onGrip={map.can_edit && topFirst.length > 1 ? dragLayer(current) : null}
              onStep={(step) => arrange(stepped(topFirst, current, step), titleOf(row))}
            />
          );
        })}
      </ol>
      <p class="visually-hidden" aria-live="polite">
        {said}
      </p>
    </>
  );
}
