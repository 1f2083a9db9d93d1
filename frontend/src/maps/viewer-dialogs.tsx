// The dialog that is open over the viewer, if any.
import type { JSX } from "preact";
import { del, patch } from "../ui/api";
import { ConfirmDialog } from "../ui/components";
import { BasemapDialog } from "./basemap";
import { AddLayerDialog, GroupDialog, RenameDialog, ShareDialog } from "./dialogs";
import { changed, groupRenamed, without } from "./layout";
import type { LayoutEditor } from "./layout-editor";
import type { PrintSource } from "./print";
import { PrintDialog } from "./print-dialog";
import { sourceOf, titleOf } from "./types";
import type { LayerRow, MapJson } from "./types";

export type Open =
  | { dialog: "add" | "basemap" | "share" | "print" | "rename-map" | "delete-map" }
  | { dialog: "rename-layer" | "remove-layer" | "group"; row: LayerRow }
  | { dialog: "rename-group"; group: string }
  | null;

interface DialogsProps {
  open: Open;
  map: MapJson;
  editor: LayoutEditor;
  /** What a printed page shows; null before the map is there. */
  page: () => PrintSource | null;
  onClose: () => void;
}

/** Show it. */
export function ViewerDialogs({ open, map, editor, page, onClose }: DialogsProps): JSX.Element | null {
  const url = `/api/maps/${map.id}/`;
  if (open === null) return null;
  switch (open.dialog) {
    case "add":
      return <AddLayerDialog map={map} onAdded={(fresh) => editor.did(fresh)} onClose={onClose} />;
    case "basemap":
      return <BasemapDialog map={map} onChoose={(basemap) => editor.change({ ...editor.now, basemap })} onClose={onClose} />;
    case "share":
      return <ShareDialog map={map} onChanged={(fresh) => editor.own(fresh)} onClose={onClose} />;
    case "print":
      return <PrintDialog source={page} onClose={onClose} />;
    case "rename-map":
      return <RenameDialog title="Rename map" name={map.name} onSave={async (name) => editor.own(await patch<MapJson>(url, { name }))} onClose={onClose} />;
    case "rename-layer":
      return (
        <RenameDialog
          title="Rename layer"
          name={titleOf(open.row)}
          onSave={async (title) => {
            editor.change(changed(editor.now, sourceOf(open.row).id, { title }));
            await editor.flush();
          }}
          onClose={onClose}
        />
      );
    case "rename-group":
      return (
        <RenameDialog
          title="Rename group"
          name={open.group}
          onSave={async (name) => {
            editor.change(groupRenamed(editor.now, open.group, name));
            await editor.flush();
          }}
          onClose={onClose}
        />
      );
    case "group":
      return (
        <GroupDialog
          group={open.row.group}
          groups={[...new Set(map.layers.map((row) => row.group).filter(Boolean))]}
          onSave={(group) => editor.change(changed(editor.now, sourceOf(open.row).id, { group }))}
          onClose={onClose}
        />
      );
    case "remove-layer":
      return (
        <ConfirmDialog
          title={`Remove ${titleOf(open.row)}?`}
          confirmLabel="Remove from map"
          danger
          onConfirm={async () => {
            editor.change(without(editor.now, sourceOf(open.row).id));
            await editor.flush();
          }}
          onClose={onClose}
        >
          It leaves this map only. The layer itself stays in the project.
        </ConfirmDialog>
      );
    case "delete-map":
      return (
        <ConfirmDialog
          title={`Delete ${map.name}?`}
          confirmLabel="Delete map"
          danger
          onConfirm={async () => {
            await del(url);
            window.location.assign("/");
          }}
          onClose={onClose}
        >
          Its links stop working. The layers stay in the project.
        </ConfirmDialog>
      );
  }
}
