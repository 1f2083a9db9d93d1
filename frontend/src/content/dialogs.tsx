// What the content page asks before it makes something.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../ui/api";
import { Button, Dialog, ErrorNote, Select, TextInput } from "../ui/components";
import type { Project } from "./page";

interface Making {
  error: unknown;
  busy: boolean;
  make: (url: string, body: object, page: (id: string) => string) => Promise<void>;
}

/** Make one thing and go to its page; an error stays in the dialog. */
function useMaking(): Making {
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const make: Making["make"] = async (url, body, page) => {
    setBusy(true);
    try {
      const made = await post<{ id: string }>(url, body);
      window.location.assign(page(made.id));
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return { error, busy, make };
}

/** Ask for the name of a project. */
export function NewProject({ onClose }: { onClose: () => void }): JSX.Element {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const { error, busy, make } = useMaking();
  const body = { name: name.trim(), description: description.trim() };
  return (
    <Dialog
      title="New project"
      onClose={onClose}
      onSubmit={() => void make("/api/projects/", body, (id) => `/projects/${id}/`)}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={body.name === ""}>
            Create project
          </Button>
        </>
      }
    >
      <TextInput label="Name" value={name} onChange={setName} maxLength={200} required autofocus />
      <TextInput label="Description" hint="What the team is after, in a sentence. Optional." value={description} onChange={setDescription} rows={3} />
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}

/** Ask for the name of an empty map, and whose it is where there are several projects. */
export function NewMap(props: { projects: Project[]; project: string; onClose: () => void }): JSX.Element {
  const { projects, onClose } = props;
  const [name, setName] = useState("");
  const [project, setProject] = useState(projects.find((item) => item.id === props.project)?.id ?? projects[0]?.id ?? "");
  const { error, busy, make } = useMaking();
  return (
    <Dialog
      title="New map"
      onClose={onClose}
      onSubmit={() => void make("/api/maps/", { project, name: name.trim() }, (id) => `/maps/${id}/`)}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={name.trim() === ""}>
            Create map
          </Button>
        </>
      }
    >
      <TextInput label="Name" value={name} onChange={setName} maxLength={200} required autofocus />
      {projects.length > 1 && (
        <Select label="Project" value={project} options={projects.map((item) => ({ value: item.id, label: item.name }))} onChange={setProject} />
      )}
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}
