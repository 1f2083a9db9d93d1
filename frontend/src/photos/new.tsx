// A new set of photos.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../ui/api";
import { Button, EmptyState, ErrorNote, Select, TextInput } from "../ui/components";
import type { NewConfig } from "./types";

/** Name it and go there. */
export function NewPage({ config }: { config: NewConfig }): JSX.Element {
  const first = config.projects.find((row) => row.id === config.project) ?? config.projects[0];
  const [project, setProject] = useState(first?.id ?? "");
  const [name, setName] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  if (config.projects.length === 0) {
    return (
      <EmptyState title="No project to add photos to" actions={<Button href="/">Go to the content</Button>}>
        You need to be a labeler or more in a project. Make one on the content page, or ask a manager.
      </EmptyState>
    );
  }
  const create = async (): Promise<void> => {
    setBusy(true);
    try {
      const made = await post<{ id: string }>("/api/photo-sets/", { project, name: name.trim() });
      window.location.assign(`/photos/${made.id}/`);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <div class="stack">
      <div class="page-head">
        <h1>Add photos</h1>
      </div>
      <p class="muted photo-what">
        For photos that are no map: a drone's view aslant, pictures of a visit. Each stands on maps as a point where it was taken, and opens from there. Imagery seen straight from above with its place in the file is <a href="/imagery/upload">uploaded as imagery</a>.
      </p>
      <form
        class="card stack photo-form"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Select label="Project" value={project} options={config.projects.map((row) => ({ value: row.id, label: row.name }))} onChange={setProject} />
        <TextInput label="Name" value={name} onChange={setName} maxLength={200} required autofocus placeholder="Flight along the river, 23 November" />
        {error !== null && <ErrorNote error={error} />}
        <div class="actions">
          <Button kind="primary" type="submit" busy={busy} disabled={name.trim() === ""}>
            Make the set
          </Button>
        </div>
      </form>
    </div>
  );
}
