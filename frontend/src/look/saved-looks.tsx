// Saved renderings of a layer: choose one, save what is shown as a new one, delete one.
import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { del, get, post } from "../ui/api";
import { Button, ConfirmDialog, Dialog, ErrorNote, Icon, Select, TextInput } from "../ui/components";
import { nameOf } from "./picture";
import type { ImageryStyle, LookProps } from "./picture";

interface Saved {
  name: string;
  title: string;
  words: Record<string, string[]>;
}

const OWN = "own";
const CUSTOM = "custom";

function SaveDialog(props: { url: string; words: Record<string, string[]>; onSaved: (saved: Saved) => void; onClose: () => void }): JSX.Element {
  const [title, setTitle] = useState("");
  const [error, setError] = useState<unknown>(null);
  const name = nameOf(title);
  const save = async (): Promise<void> => {
    try {
      props.onSaved(await post<Saved>(props.url, { name, title: title.trim(), words: props.words }));
    } catch (failure) {
      setError(failure);
    }
  };
  return (
    <Dialog
      title="Save this look"
      onClose={props.onClose}
      onSubmit={() => void save()}
      actions={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={name === ""}>
            Save
          </Button>
        </>
      }
    >
      <TextInput label="Name" value={title} onChange={setTitle} maxLength={100} autofocus hint={name ? `In addresses: ?rendering=${name}` : "Other maps, WMTS and WMS can use it by this name."} />
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}

/** The choice of a look. */
export function SavedLooks({ row, style, onChange, maySave }: Pick<LookProps, "row" | "style"> & { onChange: (style: ImageryStyle) => void; maySave: boolean }): JSX.Element {
  const url = `/api/imagery/${row.imagery.id}/renderings`;
  const [saved, setSaved] = useState<Saved[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [open, setOpen] = useState<"save" | "delete" | null>(null);
  const load = useCallback(() => {
    get<{ results: Saved[] }>(url)
      .then((answer) => setSaved(answer.results))
      .catch(setError);
  }, [url]);
  useEffect(load, [load]);
  const value = style.rendering ? `saved:${style.rendering}` : style.words ? CUSTOM : OWN;
  const options = [
    { value: OWN, label: "The layer's own" },
    ...saved.map(({ name, title }) => ({ value: `saved:${name}`, label: title || name })),
    ...(value === CUSTOM ? [{ value: CUSTOM, label: "As set below" }] : []),
  ];
  return (
    <>
      <Select
        label="Look"
        value={value}
        options={options}
        onChange={(next) => {
          if (next === OWN) onChange({});
          else if (next !== CUSTOM) onChange({ rendering: next.slice(6) });
        }}
      />
      <div class="row">
        {maySave && value === CUSTOM && (
          <Button small onClick={() => setOpen("save")}>
            <Icon name="save" /> Save this look
          </Button>
        )}
        {maySave && style.rendering && (
          <Button small onClick={() => setOpen("delete")}>
            <Icon name="trash" /> Delete this look
          </Button>
        )}
      </div>
      {error !== null && <ErrorNote error={error} />}
      {open === "save" && (
        <SaveDialog
          url={url}
          words={style.words ?? {}}
          onClose={() => setOpen(null)}
          onSaved={(made) => {
            setOpen(null);
            load();
            onChange({ rendering: made.name });
          }}
        />
      )}
      {open === "delete" && (
        <ConfirmDialog
          title="Delete this look?"
          confirmLabel="Delete"
          danger
          onClose={() => setOpen(null)}
          onConfirm={async () => {
            await del(`${url}/${style.rendering}`);
            load();
            onChange({});
          }}
        >
          Maps and clients that use it by name show the layer's own look then.
        </ConfirmDialog>
      )}
    </>
  );
}
