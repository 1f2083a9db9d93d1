// The map viewer: panel, map, dialogs, live updates.
import { render } from "preact";
import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { asApiError, del, get, patch, put } from "../ui/api";
import { Button, ConfirmDialog, Icon, IconButton, Menu, toast } from "../ui/components";
import type { MenuItem } from "../ui/components";
import type { Bounds } from "../ui/map";
import { About } from "./about";
import { AddLayerDialog, RenameDialog, ShareDialog } from "./dialogs";
import { useLiveMap } from "./live-map";
import { LayerList } from "./panel";
import type { PanelActions } from "./panel";
import { known, Popup } from "./popup";
import { Stage } from "./stage";
import type { Found } from "./stage";
import { firstLook, formatHash, lookChanged, nextLook, parseHash, savedPlace } from "./state";
import type { Look, Place } from "./state";
import { sourceOf, titleOf } from "./types";
import type { FeaturesRow, LayerRow, MapJson } from "./types";

type Open =
  | { dialog: "add" | "share" | "rename-map" | "delete-map" }
  | { dialog: "rename-layer" | "remove-layer"; row: LayerRow }
  | null;

function Coordinates({ pointer }: { pointer: EventTarget }): JSX.Element {
  const [place, setPlace] = useState<L.LatLng | null>(null);
  useEffect(() => {
    const heard = (event: Event): void => setPlace((event as CustomEvent<L.LatLng | null>).detail);
    pointer.addEventListener("place", heard);
    return () => pointer.removeEventListener("place", heard);
  }, [pointer]);
  return (
    <output class="coordinates numeric" aria-label="Coordinates under the pointer">
      {place ? `${place.lat.toFixed(6)}, ${place.wrap().lng.toFixed(6)}` : ""}
    </output>
  );
}

const narrow = (): boolean => window.matchMedia("(max-width: 720px)").matches;

/** The page. */
export function Viewer({ first }: { first: MapJson }): JSX.Element {
  const hash = useMemo(() => parseHash(window.location.hash), []);
  const holderRef = useRef<HTMLDivElement>(null);
  const stageRef = useRef<Stage | null>(null);
  // The pointer moves often: only the readout renders anew, not the page.
  const pointer = useMemo(() => new EventTarget(), []);
  const refresh = useCallback((row: FeaturesRow, changed: Bounds | null) => stageRef.current?.refresh(row, changed), []);
  const { map, live, accept } = useLiveMap(first, refresh);
  const [chosen, setLook] = useState<Look>(() => firstLook(first.layers, hash));
  const look = useMemo(() => nextLook(map.layers, chosen), [map.layers, chosen]);
  const [hidden, setHidden] = useState<ReadonlyMap<number, ReadonlySet<number>>>(new Map());
  const [place, setPlace] = useState<Place | null>(null);
  const [open, setOpen] = useState<Open>(null);
  const [panel, setPanel] = useState(() => !narrow());

  useEffect(() => {
    const element = holderRef.current;
    if (!element) return undefined;
    let clicks = 0;
    const popup = async (at: L.LatLng, hits: Found[]): Promise<void> => {
      clicks += 1;
      const click = clicks;
      const found = await known(first.id, hits, at.wrap());
      // Another click came meanwhile, or the page ended.
      if (found.length === 0 || click !== clicks) return;
      const content = document.createElement("div");
      render(<Popup map={first.id} found={found} />, content);
      L.popup({ maxWidth: 320, minWidth: 180, maxHeight: 320 })
        .setLatLng(at)
        .setContent(content)
        .openOn(made.map)
        .on("remove", () => render(null, content));
    };
    const made = new Stage(element, first, hash.place, {
      onMove: setPlace,
      onPointer: (at) => pointer.dispatchEvent(new CustomEvent("place", { detail: at })),
      onClick: (at, found) => void popup(at, found),
    });
    stageRef.current = made;
    setPlace(made.place());
    return () => {
      clicks += 1;
      made.stop();
      stageRef.current = null;
    };
  }, [first, hash, pointer]);

  useEffect(() => stageRef.current?.show(map.layers, look, hidden), [map.layers, look, hidden]);
  useEffect(() => {
    if (place) history.replaceState(history.state, "", formatHash(place, map.layers, look));
  }, [place, map.layers, look]);
  useEffect(() => {
    document.title = `${map.name} · Quadrat`;
  }, [map.name]);

  const url = `/api/maps/${map.id}/`;
  const saved = savedPlace(map);
  const changed = lookChanged(map.layers, look) || saved === null || (place !== null && moved(saved, place));
  const attempt = async (work: () => Promise<MapJson>): Promise<void> => {
    try {
      accept(await work());
    } catch (error) {
      toast(`${asApiError(error).message} ${asApiError(error).fix}`, "bad");
      accept(await get<MapJson>(url));
    }
  };
  const saveView = (): Promise<void> =>
    attempt(async () => {
      for (const row of map.layers) {
        const shown = look.get(row.id);
        if (shown && (shown.visible !== row.visible || shown.opacity !== row.opacity)) {
          await patch(`${url}layers/${row.id}`, { visible: shown.visible, opacity: shown.opacity });
        }
      }
      const fresh = await patch<MapJson>(url, { view: place });
      toast("The map now opens like this.", "ok");
      return fresh;
    });

  const actions: PanelActions = {
    onShow: (id, shown) =>
      setLook((now) => new Map(now).set(id, { ...(now.get(id) ?? { visible: true, opacity: 1 }), ...shown })),
    onHideClass: (id, value, hide) =>
      setHidden((now) => {
        const values = new Set(now.get(id));
        if (hide) values.add(value);
        else values.delete(value);
        return new Map(now).set(id, values);
      }),
    onZoom: (row) => {
      const bounds = sourceOf(row).bounds;
      if (bounds) stageRef.current?.zoomTo(bounds);
      if (narrow()) setPanel(false);
    },
    onReorder: (ids) => {
      const rows = new Map(map.layers.map((row) => [row.id, row]));
      accept({ ...map, layers: ids.flatMap((id) => rows.get(id) ?? []) });
      void attempt(() => put<MapJson>(`${url}order`, { layers: ids }));
    },
    onRename: (row) => setOpen({ dialog: "rename-layer", row }),
    onRemove: (row) => setOpen({ dialog: "remove-layer", row }),
    onAdd: () => setOpen({ dialog: "add" }),
  };
  const menu: MenuItem[] = [
    { label: "Rename map", icon: "edit", onSelect: () => setOpen({ dialog: "rename-map" }) },
    { label: "Delete map", icon: "trash", danger: true, onSelect: () => setOpen({ dialog: "delete-map" }) },
  ];

  return (
    <div class={`viewer${panel ? " with-panel" : ""}`}>
      <aside class="panel" aria-label="Layers" hidden={!panel}>
        <header class="panel-head">
          <h2 class="truncate" title={map.name}>
            {map.name}
          </h2>
          {map.can_edit && <Menu label="More about this map" items={menu} end />}
          <IconButton label="Hide the layer list" icon="left" onClick={() => setPanel(false)} />
        </header>
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
            <Button small disabled={!changed} onClick={() => void saveView()} title="Let the map open at this place with these layers and opacities">
              Save view
            </Button>
          )}
        </div>
        <div class="panel-list">
          {map.description && <About text={map.description} />}
          <LayerList map={map} look={look} hidden={hidden} actions={actions} />
        </div>
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
      {open?.dialog === "add" && <AddLayerDialog map={map} onAdded={accept} onClose={() => setOpen(null)} />}
      {open?.dialog === "share" && <ShareDialog map={map} onChanged={accept} onClose={() => setOpen(null)} />}
      {open?.dialog === "rename-map" && (
        <RenameDialog
          title="Rename map"
          name={map.name}
          onSave={async (name) => accept(await patch<MapJson>(url, { name }))}
          onClose={() => setOpen(null)}
        />
      )}
      {open?.dialog === "rename-layer" && (
        <RenameDialog
          title="Rename layer"
          name={titleOf(open.row)}
          onSave={async (title) => accept(await patch<MapJson>(`${url}layers/${open.row.id}`, { title }))}
          onClose={() => setOpen(null)}
        />
      )}
      {open?.dialog === "remove-layer" && (
        <ConfirmDialog
          title={`Remove ${titleOf(open.row)}?`}
          confirmLabel="Remove from map"
          danger
          onConfirm={async () => accept(await del<MapJson>(`${url}layers/${open.row.id}`))}
          onClose={() => setOpen(null)}
        >
          It leaves this map only. The layer itself stays in the project.
        </ConfirmDialog>
      )}
      {open?.dialog === "delete-map" && (
        <ConfirmDialog
          title={`Delete ${map.name}?`}
          confirmLabel="Delete map"
          danger
          onConfirm={async () => {
            await del(url);
            window.location.assign("/");
          }}
          onClose={() => setOpen(null)}
        >
          Its links stop working. The layers stay in the project.
        </ConfirmDialog>
      )}
    </div>
  );
}

function moved(saved: Place, place: Place): boolean {
  const far = (a: number, b: number): boolean => Math.abs(a - b) > 2e-6;
  return far(saved.lat, place.lat) || far(saved.lon, place.lon) || Math.abs(saved.zoom - place.zoom) > 0.01;
}
