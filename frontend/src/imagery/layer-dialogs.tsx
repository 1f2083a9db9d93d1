// What is asked before something is done with a layer.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, patch, post } from "../ui/api";
import { ErrorNote, FormDialog, Select, TextInput } from "../ui/components";
import type { Layer } from "./types";

/** Change the words about a layer. */
export function EditDialog(props: { layer: Layer; onClose: () => void; onSaved: (layer: Layer) => void }): JSX.Element {
  const [name, setName] = useState(props.layer.name);
  const [attribution, setAttribution] = useState(props.layer.attribution);
  const [description, setDescription] = useState(props.layer.description);
  const save = async (): Promise<void> => {
    props.onSaved(await patch<Layer>(`/api/imagery/${props.layer.id}/`, { name, attribution, description }));
    props.onClose();
  };
  return (
    <FormDialog title="Edit details" submitLabel="Save" ready={name.trim() !== ""} onSubmit={save} onClose={props.onClose}>
      <TextInput label="Name" value={name} onChange={setName} maxLength={200} required autofocus />
      <TextInput label="Attribution" value={attribution} onChange={setAttribution} maxLength={500} />
      <TextInput label="Description" rows={3} value={description} onChange={setDescription} />
    </FormDialog>
  );
}

/** Begin a label set on a layer. */
export function LabelDialog({ layer, onClose }: { layer: Layer; onClose: () => void }): JSX.Element {
  const [name, setName] = useState(`Labels on ${layer.name}`);
  const make = async (): Promise<void> => {
    const made = await post<{ url: string }>("/api/label-sets/", { imagery: layer.id, name, classes: [] });
    window.location.assign(made.url);
  };
  return (
    <FormDialog title="Label on this imagery" submitLabel="Create label set" ready={name.trim() !== ""} onSubmit={make} onClose={onClose}>
      <TextInput label="Name of the label set" value={name} onChange={setName} maxLength={200} required autofocus />
      <p class="muted">You make its classes next, on the labeling page.</p>
    </FormDialog>
  );
}

interface MapRow {
  id: string;
  name: string;
  url: string;
}

/** Put a layer on a map, an old or a new one. */
export function MapDialog({ layer, onClose }: { layer: Layer; onClose: () => void }): JSX.Element {
  const [maps, setMaps] = useState<MapRow[]>([]);
  const [chosen, setChosen] = useState("");
  const [name, setName] = useState(layer.name);
  const [unlisted, setUnlisted] = useState<unknown>(null);
  useEffect(() => {
    get<{ results: MapRow[] }>(`/api/maps/?project=${layer.project}`).then((answer) => setMaps(answer.results), setUnlisted);
  }, [layer.project]);
  const go = async (): Promise<void> => {
    const named = { kind: "imagery", id: layer.id };
    if (chosen) {
      await post(`/api/maps/${chosen}/layers`, named);
      window.location.assign(maps.find((row) => row.id === chosen)?.url ?? `/maps/${chosen}/`);
    } else {
      const made = await post<MapRow>("/api/maps/", { project: layer.project, name, layers: [named] });
      window.location.assign(made.url);
    }
  };
  const ready = chosen !== "" || name.trim() !== "";
  return (
    <FormDialog title="Add to a map" submitLabel={chosen ? "Add and open" : "Create map"} ready={ready} onSubmit={go} onClose={onClose}>
      <Select
        label="Map"
        value={chosen}
        options={[{ value: "", label: "A new map" }, ...maps.map((row) => ({ value: row.id, label: row.name }))]}
        onChange={setChosen}
      />
      {!chosen && <TextInput label="Name of the map" value={name} onChange={setName} maxLength={200} required />}
      {unlisted !== null && <ErrorNote error={unlisted} />}
    </FormDialog>
  );
}
