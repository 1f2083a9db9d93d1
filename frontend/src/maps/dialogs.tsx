// The viewer's dialogs: add a layer, share, rename.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, post, put } from "../ui/api";
import { Badge, Button, Dialog, EmptyState, ErrorNote, FormDialog, Icon, Spinner, TextInput, toast } from "../ui/components";
import { ago, plural } from "../ui/format";
import { ICONS, KINDS } from "./layer-item";
import type { LayerRow, MapJson } from "./types";

interface Candidate {
  id: string;
  kind: LayerRow["kind"];
  name: string;
  state: string;
  created_at: string;
  count?: number;
}

/** Search the project's layers and put them on the map, one click each. */
export function AddLayerDialog(props: { map: MapJson; onAdded: (map: MapJson) => void; onClose: () => void }): JSX.Element {
  const [query, setQuery] = useState("");
  const [found, setFound] = useState<Candidate[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState("");
  const { id, layers } = props.map;
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(
      () => {
        get<{ results: Candidate[] }>(`/api/maps/${id}/candidates?q=${encodeURIComponent(query)}`, { signal: stop.signal })
          .then((answer) => {
            setFound(answer.results);
            setError(null);
          })
          .catch((failure: unknown) => {
            if (!stop.signal.aborted) setError(failure);
          });
      },
      query ? 200 : 0,
    );
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [id, query, layers.length]);
  const add = async (item: Candidate): Promise<void> => {
    setBusy(item.id);
    try {
      const kind = item.kind === "features" ? "features" : "imagery";
      props.onAdded(await post<MapJson>(`/api/maps/${id}/layers`, { kind, id: item.id }));
      toast(`${item.name} is on the map.`, "ok");
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy("");
    }
  };
  return (
    <Dialog title="Add a layer" onClose={props.onClose} actions={<Button onClick={props.onClose}>Done</Button>}>
      <TextInput label="Search layers" quiet type="search" placeholder="Search imagery and feature layers" value={query} onChange={setQuery} autofocus />
      {error !== null && <ErrorNote error={error} />}
      {found === null && error === null && <Spinner />}
      {found?.length === 0 && (
        <EmptyState title={query ? "Nothing by that name" : "No more layers"}>
          {query ? "Try another word." : "Every layer of this project is on the map. Upload imagery or run a model to get more."}
        </EmptyState>
      )}
      <ul class="candidates" aria-label="Layers that can be added">
        {found?.map((item) => (
          <li key={item.id}>
            <Icon name={ICONS[item.kind]} />
            <div class="truncate">
              <div class="truncate">{item.name}</div>
              <div class="muted small-text">
                {KINDS[item.kind]}
                {item.count !== undefined && `, ${plural(item.count, "feature")}`}, {ago(item.created_at)}
              </div>
            </div>
            {item.state === "building" && <Badge tone="accent">growing</Badge>}
            <Button small busy={busy === item.id} onClick={() => void add(item)}>
              Add<span class="visually-hidden"> {item.name}</span>
            </Button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

/** Who may open the map, and the link to what is seen now. */
export function ShareDialog(props: { map: MapJson; onChanged: (map: MapJson) => void; onClose: () => void }): JSX.Element {
  const { map } = props;
  const [error, setError] = useState<unknown>(null);
  const link = window.location.href;
  const share = async (value: MapJson["share"]): Promise<void> => {
    try {
      props.onChanged(await put<MapJson>(`/api/maps/${map.id}/share`, { share: value }));
      setError(null);
    } catch (failure) {
      setError(failure);
    }
  };
  const frame = `<iframe src="${window.location.origin}${window.location.pathname}embed${window.location.hash}" title="${map.name.replaceAll('"', "&quot;")}" width="800" height="500" style="border:0"></iframe>`;
  const copy = async (text: string): Promise<void> => {
    await navigator.clipboard.writeText(text);
    toast("Copied.", "ok");
  };
  const options = [
    ["private", "Only me and managers", "Nobody else of the project sees it."],
    ["members", "Members only", "People of this project, signed in."],
    ["link", "Anyone with the link", "No sign-in needed. They can look, not change."],
    ["public", "Everybody", "As with the link, and it stands in the list of public maps."],
  ] as const;
  return (
    <Dialog title="Share this map" onClose={props.onClose} actions={<Button onClick={props.onClose}>Done</Button>}>
      <fieldset class="choices" disabled={!map.can_share}>
        <legend class="visually-hidden">Who may open it</legend>
        {options.map(([value, title, hint]) => (
          <label key={value} class="choice">
            <input type="radio" name="share" checked={map.share === value} onChange={() => void share(value)} />
            <span>
              <strong>{title}</strong>
              <span class="muted small-text">{hint}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {!map.can_share && <p class="muted small-text">A manager of the project can change who may open it.</p>}
      {error !== null && <ErrorNote error={error} />}
      <div class="field">
        <span class="field-label">Link to this view</span>
        <div class="copy-row">
          <input class="input" readOnly value={link} aria-label="Link to this view" onFocus={(event) => event.currentTarget.select()} />
          <Button kind="primary" onClick={() => void copy(link)}>
            <Icon name="link" /> Copy link
          </Button>
        </div>
        <p class="field-hint">It opens at the same place with the same layers and opacities.</p>
      </div>
      {(map.share === "link" || map.share === "public") && (
        <div class="field">
          <span class="field-label">Embed in another page</span>
          <div class="copy-row">
            <input class="input" readOnly value={frame} aria-label="HTML of a frame with this map" onFocus={(event) => event.currentTarget.select()} />
            <Button onClick={() => void copy(frame)}>
              <Icon name="link" /> Copy HTML
            </Button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

/** One name, changed. */
export function RenameDialog(props: { title: string; name: string; onSave: (name: string) => Promise<void>; onClose: () => void }): JSX.Element {
  const [name, setName] = useState(props.name);
  const save = async (): Promise<void> => {
    await props.onSave(name.trim());
    props.onClose();
  };
  return (
    <FormDialog title={props.title} submitLabel="Save" ready={name.trim() !== ""} onSubmit={save} onClose={props.onClose}>
      <TextInput label="Name" value={name} onChange={setName} maxLength={200} autofocus />
    </FormDialog>
  );
}

/** Choose a layer's group, or name a new one; no name takes it out. */
export function GroupDialog(props: { group: string; groups: readonly string[]; onSave: (group: string) => void; onClose: () => void }): JSX.Element {
  const [name, setName] = useState(props.group);
  const others = props.groups.filter((group) => group !== props.group);
  return (
    <Dialog
      title="Put into a group"
      onClose={props.onClose}
      onSubmit={() => {
        props.onSave(name.trim());
        props.onClose();
      }}
      actions={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          {props.group !== "" && (
            <Button
              onClick={() => {
                props.onSave("");
                props.onClose();
              }}
            >
              Take out of {props.group}
            </Button>
          )}
          <Button kind="primary" type="submit" disabled={name.trim() === "" || name.trim() === props.group}>
            Move
          </Button>
        </>
      }
    >
      <TextInput label="Group" value={name} onChange={setName} maxLength={100} autofocus hint="A new name makes a new group." />
      {others.length > 0 && (
        <div class="row wrap" role="group" aria-label="Groups of this map">
          {others.map((group) => (
            <Button key={group} small onClick={() => setName(group)}>
              {group}
            </Button>
          ))}
        </div>
      )}
    </Dialog>
  );
}
