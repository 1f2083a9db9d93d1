// The layer list: the top layer first; order by drag or arrow keys, visibility, opacity, legend, and what else one does.
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { Badge, EmptyState, Icon, Menu } from "../ui/components";
import type { IconName, MenuItem } from "../ui/components";
import { Legend } from "./legend";
import { moved } from "./state";
import type { Look, Shown } from "./state";
import { sourceOf, titleOf } from "./types";
import type { LayerRow, MapJson } from "./types";

export interface PanelActions {
  onShow: (id: number, shown: Partial<Shown>) => void;
  onHideClass: (id: number, value: number, hide: boolean) => void;
  onZoom: (row: LayerRow) => void;
  /** Ids, the bottom layer first. */
  onReorder: (ids: number[]) => void;
  onRename: (row: LayerRow) => void;
  onRemove: (row: LayerRow) => void;
  onAdd: () => void;
}

const ICONS: Record<LayerRow["kind"], IconName> = { imagery: "image", class_raster: "layers", features: "shapes" };
const KINDS: Record<LayerRow["kind"], string> = { imagery: "Imagery", class_raster: "Class raster", features: "Features" };

interface RowProps {
  map: MapJson;
  row: LayerRow;
  shown: Shown;
  hidden: ReadonlySet<number>;
  actions: PanelActions;
  dragged: boolean;
  onGrip: ((event: PointerEvent) => void) | null;
  onStep: (step: number) => void;
}

function LayerItem({ map, row, shown, hidden, actions, dragged, onGrip, onStep }: RowProps): JSX.Element {
  const [open, setOpen] = useState(true);
  const title = titleOf(row);
  const source = sourceOf(row);
  const items: MenuItem[] = [
    { label: "Zoom to layer", icon: "extent", disabled: source.bounds === null, onSelect: () => actions.onZoom(row) },
    ...(map.can_edit
      ? [
          { label: "Rename", icon: "edit" as const, onSelect: () => actions.onRename(row) },
          { label: "Remove from map", icon: "trash" as const, danger: true, onSelect: () => actions.onRemove(row) },
        ]
      : []),
  ];
  const keys = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    if (step === 0) return;
    event.preventDefault();
    onStep(step);
  };
  return (
    <li class={`layer${shown.visible ? "" : " off"}${dragged ? " dragged" : ""}`} data-layer={row.id}>
      <div class="layer-head">
        {onGrip && (
          <button
            type="button"
            class="grip"
            aria-label={`Move ${title}: arrow keys up and down`}
            title="Drag to move, or use the arrow keys"
            onPointerDown={onGrip}
            onKeyDown={keys}
          >
            <Icon name="grip" />
          </button>
        )}
        <input
          type="checkbox"
          checked={shown.visible}
          aria-label={`Show ${title}`}
          onChange={(event) => actions.onShow(row.id, { visible: event.currentTarget.checked })}
        />
        <button type="button" class="layer-title" aria-expanded={open} onClick={() => setOpen(!open)} title={`${KINDS[row.kind]}: ${title}`}>
          <Icon name={ICONS[row.kind]} />
          <span class="truncate">{title}</span>
          {row.kind !== "features" && row.imagery.position_assumed && (
            <span class="assumed" role="img" aria-label="Position on Earth is assumed" title="Position on Earth is assumed">
              <Icon name="warn" />
            </span>
          )}
          <Icon name={open ? "down" : "right"} />
        </button>
        <Menu label={`More about ${title}`} items={items} end small />
      </div>
      {open && (
        <div class="layer-body">
          {source.state === "building" && (
            <p>
              <Badge tone="accent">Growing while its job runs</Badge>
            </p>
          )}
          <label class="opacity">
            <span class="muted small-text">Opacity</span>
            <input
              type="range"
              min={0}
              max={100}
              step={5}
              value={Math.round(shown.opacity * 100)}
              aria-label={`Opacity of ${title}`}
              onInput={(event) => actions.onShow(row.id, { opacity: event.currentTarget.valueAsNumber / 100 })}
            />
            <span class="muted small-text numeric">{Math.round(shown.opacity * 100)} %</span>
          </label>
          <Legend map={map.id} row={row} hidden={hidden} onHide={(value, hide) => actions.onHideClass(row.id, value, hide)} />
        </div>
      )}
    </li>
  );
}

interface Drag {
  id: number;
  to: number;
}

/** The list with its drag. */
export function LayerList(props: {
  map: MapJson;
  look: Look;
  hidden: ReadonlyMap<number, ReadonlySet<number>>;
  actions: PanelActions;
}): JSX.Element {
  const { map, look, hidden, actions } = props;
  const list = useRef<HTMLOListElement>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const [said, setSaid] = useState("");
  const topFirst = [...map.layers].reverse();
  const shownOrder = drag ? moved(topFirst, topFirst.findIndex((row) => row.id === drag.id), drag.to) : topFirst;

  const put = (from: number, to: number): void => {
    const row = topFirst[from];
    if (!row || to < 0 || to >= topFirst.length || from === to) return;
    setSaid(`${titleOf(row)} is now ${to + 1} of ${topFirst.length}.`);
    actions.onReorder(moved(topFirst, from, to).reverse().map((item) => item.id));
  };

  const grip = (id: number) => (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const handle = event.currentTarget as HTMLElement;
    handle.setPointerCapture(event.pointerId);
    const from = topFirst.findIndex((row) => row.id === id);
    let to = from;
    const stop = new AbortController();
    handle.addEventListener(
      "pointermove",
      (move) => {
        const boxes = [...(list.current?.children ?? [])].map((child) => child.getBoundingClientRect());
        const above = boxes.filter((box, index) => move.clientY > box.top + box.height / 2 && index !== to).length;
        to = Math.min(Math.max(above, 0), topFirst.length - 1);
        setDrag({ id, to });
      },
      { signal: stop.signal },
    );
    const end = (drop: boolean) => (): void => {
      stop.abort();
      setDrag(null);
      if (drop) put(from, to);
    };
    handle.addEventListener("pointerup", end(true), { signal: stop.signal });
    handle.addEventListener("pointercancel", end(false), { signal: stop.signal });
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
        {shownOrder.map((row) => (
          <LayerItem
            key={row.id}
            map={map}
            row={row}
            shown={look.get(row.id) ?? row}
            hidden={hidden.get(row.id) ?? new Set()}
            actions={actions}
            dragged={drag?.id === row.id}
            onGrip={map.can_edit && topFirst.length > 1 ? grip(row.id) : null}
            onStep={(step) => {
              const from = topFirst.findIndex((item) => item.id === row.id);
              put(from, from + step);
            }}
          />
        ))}
      </ol>
      <p class="visually-hidden" aria-live="polite">
        {said}
      </p>
    </>
  );
}
