// What the content page asks before it makes something.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../ui/api";
import { FormDialog, Select, TextInput } from "../ui/components";
import type { Project } from "./page";

/** Ask for the name of a project. */
export function NewProject({ onClose }: { onClose: () => void }): JSX.Element {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const make = async (): Promise<void> => {
    const made = await post<{ id: string }>("/api/projects/", { name: name.trim(), description: description.trim() });
    window.location.assign(`/projects/${made.id}/`);
  };
  return (
    <FormDialog title="New project" submitLabel="Create project" ready={name.trim() !== ""} onSubmit={make} onClose={onClose}>
      <TextInput label="Name" value={name} onChange={setName} maxLength={200} required autofocus />
      <TextInput label="Description" hint="What the team is after, in a sentence. Optional." value={description} onChange={setDescription} rows={3} />
    </FormDialog>
  );
}

/** Ask for the name of an empty map, and whose it is where there are several projects. */
export function NewMap(props: { projects: Project[]; project: string; onClose: () => void }): JSX.Element {
  const { projects, onClose } = props;
  const [name, setName] = useState("");
  const [project, setProject] = useState(projects.find((item) => item.id === props.project)?.id ?? projects[0]?.id ?? "");
  const make = async (): Promise<void> => {
    const made = await post<{ id: string }>("/api/maps/", { project, name: name.trim() });
    window.location.assign(`/maps/${made.id}/`);
  };
  return (
    <FormDialog title="New map" submitLabel="Create map" ready={name.trim() !== ""} onSubmit={make} onClose={onClose}>
      <TextInput label="Name" value={name} onChange={setName} maxLength={200} required autofocus />
      {projects.length > 1 && (
        <Select label="Project" value={project} options={projects.map((item) => ({ value: item.id, label: item.name }))} onChange={setProject} />
      )}
    </FormDialog>
  );
}
