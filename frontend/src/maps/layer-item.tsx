// One layer in the list: visibility, opacity, legend, and what else one does with it.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Badge, Icon, Menu } from "../ui/components";
import type { IconName, MenuItem } from "../ui/components";
import { Legend } from "./legend";
import type { PanelActions } from "./panel";
import type { Shown } from "./state";
import type { GeometryTypes } from "./swatch";
import { sourceOf, titleOf } from "./types";
import type { LayerRow, MapJson } from "./types";

export const ICONS: Record<LayerRow["kind"], IconName> = { imagery: "image", class_raster: "layers", features: "shapes" };
export const KINDS: Record<LayerRow["kind"], string> = { imagery: "Imagery", class_raster: "Class raster", features: "Features" };

interface ItemProps {
  map: MapJson;
  row: LayerRow;
  shown: Shown;
  types: GeometryTypes;
  actions: PanelActions;
  dragged: boolean;
  onGrip: ((event: PointerEvent) => void) | null;
  onStep: (step: -1 | 1) => void;
}

/** The drag handle of a layer or group; arrow keys do the same. */
export function Grip(props: { label: string; onGrip: (event: PointerEvent) => void; onStep: (step: -1 | 1) => void }): JSX.Element {
  return (
    <button
      type="button"
      class="grip"
      aria-label={`Move ${props.label}: arrow keys up and down`}
      title="Drag to move, or use the arrow keys"
      onPointerDown={props.onGrip}
      onKeyDown={(event) => {
        const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
        if (step === 0) return;
        event.preventDefault();
        props.onStep(step);
      }}
    >
      <Icon name="grip" />
    </button>
  );
}

function itemsOf({ map, row, actions }: ItemProps): MenuItem[] {
  return [
    { label: "Zoom to layer", icon: "extent", disabled: sourceOf(row).bounds === null, onSelect: () => actions.onZoom([row]) },
    ...(map.can_edit && row.kind !== "class_raster" ? [{ label: "Style", icon: "edit" as const, onSelect: () => actions.onSettings(row, "style") }] : []),
    ...(row.kind === "features"
      ? [
          { label: "Filter", icon: "search" as const, onSelect: () => actions.onSettings(row, "filter") },
          { label: "Table", icon: "table" as const, onSelect: () => actions.onTable(row) },
        ]
      : []),
    ...(map.can_edit
      ? [
          { label: "Rename", icon: "edit" as const, onSelect: () => actions.onRename(row) },
          { label: row.group ? "Move to another group" : "Put into a group", icon: "layers" as const, onSelect: () => actions.onGroup(row) },
          ...(row.kind === "imagery" ? [{ label: "Use as basemap", icon: "map" as const, onSelect: () => actions.onBasemap(row) }] : []),
          { label: "Remove from map", icon: "trash" as const, danger: true, onSelect: () => actions.onRemove(row) },
        ]
      : []),
  ];
}

/** One layer. */
export function LayerItem(props: ItemProps): JSX.Element {
  const { map, row, shown, actions } = props;
  const [open, setOpen] = useState(true);
  const title = titleOf(row);
  return (
    <li class={`layer${shown.visible ? "" : " off"}${props.dragged ? " dragged" : ""}${row.group ? " grouped" : ""}`} data-layer={row.id} data-line={row.id}>
      <div class="layer-head">
        {props.onGrip && <Grip label={title} onGrip={props.onGrip} onStep={props.onStep} />}
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
        <Menu label={`More about ${title}`} items={itemsOf(props)} end small />
      </div>
      {open && (
        <div class="layer-body">
          {sourceOf(row).state === "building" && (
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
          <Legend map={map.id} row={row} filter={shown.filter} types={props.types} onHide={(value, hide) => actions.onHideClass(row.id, value, hide)} />
        </div>
      )}
    </li>
  );
}
