// The map viewer: panel, map, dialogs, live updates.
import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { onHash } from "../ui/address-hash";
import { asApiError, patch } from "../ui/api";
import { Button, Icon, IconButton, Menu, toast } from "../ui/components";
import type { MenuItem } from "../ui/components";
import { goTo } from "../ui/map";
import type { Bounds } from "../ui/map";
import { SwipeHandle } from "../ui/swipe";
import { About } from "./about";
import { BasemapLine } from "./basemap";
import { Coordinates } from "./coordinates";
import { FeatureTable } from "./feature-table";
import { useFirstLayer } from "./first-layer";
import { changed as withChange, groupRenamed, without } from "./layout";
import type { PlacedLayer } from "./layout";
import { useLiveMap } from "./live-map";
import { useNotes } from "./notes";
import { LayerList } from "./panel";
import type { PanelActions } from "./panel";
import { Settings } from "./settings";
import type { Part } from "./settings";
import { boundsOf, firstLook, formatHash, hiddenIn, lookChanged, nextLook, parseHash, placeMoved, sameJson, savedLook, savedPlace, withClass } from "./state";
import type { Look, Shown } from "./state";
import { SideMap } from "./side-map";
import type { Found } from "./stage";
import { featureStyle } from "./style";
import { fitting } from "./swipe";
import type { Compare } from "./swipe";
import { lookAt, momentsOf, TimeBar } from "./time-bar";
import { Tools } from "./tools";
import type { Tool } from "./tools";
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
export function Viewer({ first, embed }: { first: MapJson; embed: boolean }): JSX.Element {
  const hash = useMemo(() => parseHash(window.location.hash), []);
  const { holderRef, stageRef, stage, place, pointer, types, ground, popup } = useStage(first, hash.place);
  const refresh = useCallback((row: FeaturesRow, changed: Bounds | null) => stageRef.current?.refresh(row, changed), [stageRef]);
  const { map: server, live, accept } = useLiveMap(first, refresh);
  const { map, editor } = useLayout(server, accept);
  const [chosen, setLook] = useState<Look>(() => firstLook(first.layers, hash));
  const look = useMemo(() => nextLook(map.layers, chosen), [map.layers, chosen]);
  const [open, setOpen] = useState<Open>(null);
  const [panel, setPanel] = useState(() => !narrow() && !embed);
  const [settings, setSettings] = useState<{ layer: number; part: Part } | null>(null);

  const [tool, setTool] = useState<Tool | null>(() => (first.view.compare ? "compare" : null));
  const [chosenCompare, setCompare] = useState<Compare | null>(first.view.compare ?? null);
  const [chosenMoment, setMoment] = useState<string | null>(first.view.time ?? null);
  const [table, setTable] = useState<number | null>(null);
  const [selected, setSelected] = useState<string | null>(null);

  const compare = useMemo(() => fitting(chosenCompare, map.layers), [chosenCompare, map.layers]);
  const moments = useMemo(() => momentsOf(map.layers), [map.layers]);
  const moment = moments.length > 1 ? chosenMoment : null;
  const timed = useMemo(() => lookAt(map.layers, look, moment), [map.layers, look, moment]);
  const side = compare?.mode === "side" ? compare : null;
  const main = useMemo(() => (side ? hiddenIn(map.layers, timed, side.right) : timed), [map.layers, timed, side]);
  const right = useMemo(() => (side ? hiddenIn(map.layers, timed, side.left) : timed), [map.layers, timed, side]);
  useEffect(() => stage?.ground.set(map.basemap.shown), [stage, map.basemap.shown]);
  useEffect(() => stage?.show(map.layers, main), [stage, map.layers, main]);
  useEffect(() => stage?.setCompare(compare), [stage, compare]);
  useEffect(() => stage?.select(table, new Set(selected === null ? [] : [selected])), [stage, table, selected]);
  useNotes(stage, map.notes);
  useFirstLayer(stage, map.layers, savedPlace(map) !== null);
  useEffect(() => {
    if (place) history.replaceState(history.state, "", formatHash(place, map.layers, look));
  }, [place, map.layers, look]);
  useEffect(
    () =>
      onHash((text) => {
        const asked = parseHash(text);
        if (asked.layers) setLook(firstLook(map.layers, asked));
        if (asked.place && stage) goTo(stage.map, [asked.place.lat, asked.place.lon], asked.place.zoom);
      }),
    [stage, map.layers],
  );
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
  const changed = lookChanged(map.layers, look) || saved === null || (place !== null && placeMoved(saved, place)) || !sameJson([compare, moment], [map.view.compare ?? null, map.view.time ?? null]);
  const saveView = async (): Promise<void> => {
    try {
      if (lookChanged(map.layers, look)) {
        const layers = editor.now.layers.map((placed): PlacedLayer => {
          const row = map.layers.find((item) => sourceOf(item).id === placed.source);
          const shown = row && look.get(row.id);
          if (!row || !shown) return placed;
          const style = row.kind === "features" ? { ...placed.style, filter: shown.filter } : placed.style;
          return { ...placed, visible: shown.visible, opacity: shown.opacity, style };
        });
        editor.change({ ...editor.now, layers });
      }
      await editor.flush();
      editor.own(await patch<MapJson>(`/api/maps/${map.id}/`, { view: { ...place, ...(compare && { compare }), ...(moment && { time: moment }) } }));
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
      const placed = new Map(editor.now.layers.map((item) => [item.source, item]));
      const layers = rows.flatMap((row) => {
        const item = placed.get(sourceOf(row).id);
        return item ? [{ ...item, group: row.group }] : [];
      });
      editor.change({ ...editor.now, layers });
    },
    onSettings: (row, part) => setSettings({ layer: row.id, part }),
    onTable: (row) => {
      setTable(row.id);
      setSelected(null);
      if (narrow()) setPanel(false);
    },
    onRename: (row) => setOpen({ dialog: "rename-layer", row }),
    onGroup: (row) => setOpen({ dialog: "group", row }),
    onRenameGroup: (group) => setOpen({ dialog: "rename-group", group }),
    onUngroup: (group) => editor.change(groupRenamed(editor.now, group, "")),
    onBasemap: (row) => editor.change({ ...without(editor.now, sourceOf(row).id), basemap: `imagery:${sourceOf(row).id}` }),
    onRemove: (row) => setOpen({ dialog: "remove-layer", row }),
    onAdd: () => setOpen({ dialog: "add" }),
  };
  const menu: MenuItem[] = [
    { label: "Rename map", icon: "edit", onSelect: () => setOpen({ dialog: "rename-map" }) },
    { label: "Delete map", icon: "trash", danger: true, onSelect: () => setOpen({ dialog: "delete-map" }) },
  ];
  const tabled = table === null ? undefined : map.layers.find((row) => row.id === table);
  const sideClick = useCallback((at: L.LatLng, found: Found[], on: L.Map) => void popup(at, found, on), [popup]);
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
              <BasemapLine map={map} state={ground} onChange={() => setOpen({ dialog: "basemap" })} />
            </div>
          </>
        )}
      </aside>
      <div class="stage-column">
        <div class={`stage${side ? " side" : ""}`}>
          <div class="map" ref={holderRef} />
          {side && stage && <SideMap first={first} main={stage} basemap={map.basemap.shown} rows={map.layers} look={right} onClick={sideClick} />}
          {compare?.mode === "swipe" && <SwipeHandle at={compare.at} onChange={(at) => setCompare({ ...compare, at })} />}
          <Tools
            map={map}
            stage={stage}
            place={place}
            tool={tool}
            compare={compare}
            timed={moments.length > 1 ? moment !== null : null}
            onTool={setTool}
            onCompare={setCompare}
            onTime={() => setMoment(moment === null ? (moments.at(-1) ?? null) : null)}
            onPrint={() => setOpen({ dialog: "print" })}
            onSaved={(fresh) => editor.own(fresh)}
          />
          {moment !== null && <TimeBar moments={moments} moment={moment} onChange={setMoment} onClose={() => setMoment(null)} />}
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
        {tabled?.kind === "features" && (
          <FeatureTable
            key={tabled.id}
            map={map.id}
            row={tabled}
            filter={look.get(tabled.id)?.filter ?? {}}
            selected={selected}
            onSelect={(feature) => {
              setSelected(feature?.id ?? null);
              if (feature) stage?.zoomTo(feature.bounds);
            }}
            onClose={() => {
              setTable(null);
              setSelected(null);
            }}
          />
        )}
      </div>
      <ViewerDialogs
        open={open}
        map={map}
        editor={editor}
        page={() => stage && { map, rows: map.layers, look: timed, types, compare, bounds: stage.map.getBounds() }}
        onClose={() => setOpen(null)}
      />
    </div>
  );
}
