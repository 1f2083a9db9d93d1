// The map viewer: panel, map, dialogs, live updates.
import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { asApiError, patch } from "../ui/api";
import { Button, Icon, IconButton, Menu, toast } from "../ui/components";
import type { MenuItem } from "../ui/components";
import type { Bounds } from "../ui/map";
import { About } from "./about";
import { Coordinates } from "./coordinates";
import { changed as withChange, groupRenamed } from "./layout";
import type { PlacedLayer } from "./layout";
import { useLiveMap } from "./live-map";
import { LayerList } from "./panel";
import type { PanelActions } from "./panel";
import { Settings } from "./settings";
import type { Part } from "./settings";
import { boundsOf, firstLook, formatHash, lookChanged, nextLook, parseHash, placeMoved, savedLook, savedPlace, withClass } from "./state";
import type { Look, Shown } from "./state";
import { featureStyle } from "./style";
import { sourceOf } from "./types";
import type { FeaturesRow, LayerRow, MapJson } from "./types";
import { useLayout } from "./use-layout";
import { useStage } from "./use-stage";
import { ViewerDialogs } from "./viewer-dialogs";
import type { Open } from "./viewer-dialogs";

const narrow = (): boolean => window.matchMedia("(max-width: 720px)").matches;

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** The page. */
export function Viewer({ first }: { first: MapJson }): JSX.Element {
  const hash = useMemo(() => parseHash(window.location.hash), []);
  const { holderRef, stageRef, stage, place, pointer, types } = useStage(first, hash.place);
  const refresh = useCallback((row: FeaturesRow, changed: Bounds | null) => stageRef.current?.refresh(row, changed), [stageRef]);
  const { map: server, live, accept } = useLiveMap(first, refresh);
  const { map, editor } = useLayout(server, accept);
  const [chosen, setLook] = useState<Look>(() => firstLook(first.layers, hash));
  const look = useMemo(() => nextLook(map.layers, chosen), [map.layers, chosen]);
  const [open, setOpen] = useState<Open>(null);
  const [panel, setPanel] = useState(() => !narrow());
  const [settings, setSettings] = useState<{ layer: number; part: Part } | null>(null);

  useEffect(() => stage?.show(map.layers, look), [stage, map.layers, look]);
  useEffect(() => {
    if (place) history.replaceState(history.state, "", formatHash(place, map.layers, look));
  }, [place, map.layers, look]);
  useEffect(() => {
    document.title = `${map.name} · Quadrat`;
  }, [map.name]);
  useEffect(() => {
    const keys = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || typing(event.target)) return;
      const key = event.key.toLowerCase();
      if (key !== "z" && key !== "y") return;
      event.preventDefault();
      if (key === "y" || event.shiftKey) editor.redo();
      else editor.undo();
    };
    document.addEventListener("keydown", keys);
    return () => document.removeEventListener("keydown", keys);
  }, [editor]);

  const saved = savedPlace(map);
  const changed = lookChanged(map.layers, look) || saved === null || (place !== null && placeMoved(saved, place));
  const saveView = async (): Promise<void> => {
    try {
      if (lookChanged(map.layers, look)) {
        editor.change(editor.now.map((placed): PlacedLayer => {
          const row = map.layers.find((item) => sourceOf(item).id === placed.source);
          const shown = row && look.get(row.id);
          if (!row || !shown) return placed;
          const style = row.kind === "features" ? { ...placed.style, filter: shown.filter } : placed.style;
          return { ...placed, visible: shown.visible, opacity: shown.opacity, style };
        }));
      }
      await editor.flush();
      editor.own(await patch<MapJson>(`/api/maps/${map.id}/`, { view: place }));
      toast("The map now opens like this.", "ok");
    } catch (error) {
      toast(`${asApiError(error).message} ${asApiError(error).fix}`, "bad");
    }
  };
  const show = (id: number, shown: Partial<Shown>): void =>
    setLook((now) => {
      const row = map.layers.find((item) => item.id === id);
      return row ? new Map(now).set(id, { ...(now.get(id) ?? savedLook(row)), ...shown }) : now;
    });
  const zoom = (rows: readonly LayerRow[]): void => {
    const bounds = boundsOf(rows);
    if (bounds) stage?.zoomTo(bounds);
    if (narrow()) setPanel(false);
  };

  const actions: PanelActions = {
    onShow: show,
    onHideClass: (id, value, hide) => show(id, { filter: withClass(look.get(id)?.filter ?? {}, value, hide) }),
    onZoom: zoom,
    onArrange: (rows) => {
      const placed = new Map(editor.now.map((item) => [item.source, item]));
      editor.change(
        rows.flatMap((row) => {
          const item = placed.get(sourceOf(row).id);
          return item ? [{ ...item, group: row.group }] : [];
        }),
      );
    },
    onSettings: (row, part) => setSettings({ layer: row.id, part }),
    onRename: (row) => setOpen({ dialog: "rename-layer", row }),
    onGroup: (row) => setOpen({ dialog: "group", row }),
    onRenameGroup: (group) => setOpen({ dialog: "rename-group", group }),
    onUngroup: (group) => editor.change(groupRenamed(editor.now, group, "")),
    onRemove: (row) => setOpen({ dialog: "remove-layer", row }),
    onAdd: () => setOpen({ dialog: "add" }),
  };
  const menu: MenuItem[] = [
    { label: "Rename map", icon: "edit", onSelect: () => setOpen({ dialog: "rename-map" }) },
    { label: "Delete map", icon: "trash", danger: true, onSelect: () => setOpen({ dialog: "delete-map" }) },
  ];
  const set = settings && map.layers.find((row) => row.id === settings.layer);

  return (
    <div class={`viewer${panel ? " with-panel" : ""}`}>
      <aside class="panel" aria-label="Layers" hidden={!panel}>
        <header class="panel-head">
          <h2 class="truncate" title={map.name}>
            {map.name}
          </h2>
          {map.can_edit && (
            <>
              <IconButton label="Undo" icon="undo" disabled={!editor.canUndo} onClick={() => editor.undo()} />
              <IconButton label="Redo" icon="redo" disabled={!editor.canRedo} onClick={() => editor.redo()} />
              <Menu label="More about this map" items={menu} end />
            </>
          )}
          <IconButton label="Hide the layer list" icon="left" onClick={() => setPanel(false)} />
        </header>
        {settings && set ? (
          <Settings
            key={set.id}
            map={map}
            row={set}
            part={settings.part}
            filter={look.get(set.id)?.filter ?? {}}
            types={types.get(set.id) ?? []}
            view={() => stage?.bounds() ?? null}
            onPart={(part) => setSettings({ ...settings, part })}
            onStyle={(style, burst) =>
              editor.change(
                withChange(editor.now, sourceOf(set).id, { style: set.kind === "features" ? { ...style, filter: featureStyle(set).filter } : style }),
                burst && `${set.id} ${burst}`,
              )
            }
            onFilter={(filter) => show(set.id, { filter })}
            onClose={() => setSettings(null)}
          />
        ) : (
          <>
            <div class="panel-actions">
              {map.can_edit && (
                <Button kind="primary" small onClick={actions.onAdd}>
                  <Icon name="add" /> Add layer
                </Button>
              )}
              {map.role !== null && (
                <Button small onClick={() => setOpen({ dialog: "share" })}>
                  <Icon name="share" /> Share
                </Button>
              )}
              {map.can_edit && (
                <Button small disabled={!changed} onClick={() => void saveView()} title="Let the map open at this place with these layers, opacities and filters">
                  Save view
                </Button>
              )}
            </div>
            <div class="panel-list">
              {map.description && <About text={map.description} />}
              <LayerList map={map} look={look} types={types} actions={actions} />
            </div>
          </>
        )}
      </aside>
      <div class="stage">
        <div class="map" ref={holderRef} />
        {!panel && (
          <div class="panel-opener">
            <Button onClick={() => setPanel(true)}>
              <Icon name="layers" /> Layers
            </Button>
          </div>
        )}
        {live === "offline" && (
          <p class="live-note badge warn" role="status">
            Offline, trying again
          </p>
        )}
        <Coordinates pointer={pointer} />
      </div>
      <ViewerDialogs open={open} map={map} editor={editor} onClose={() => setOpen(null)} />
    </div>
  );
}
